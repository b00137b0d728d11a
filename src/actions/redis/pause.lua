-- Pauses a queue: the switch first, then (up to BullMQ 5) the waiting jobs go to where a pause keeps them, order kept.
-- Called again until nothing is left to move.
--
-- Options: how many jobs one call may move
-- Returns: "changed" or "already", and how many are left to move
local limit = tonumber(ARGV[3])
local answer = 'already'
if not paused then
  answer = 'changed'
  if bull then call('SET', KEYS[6], 1) end
  call('HSET', KEYS[5], 'paused', 1)
  if marked then call('DEL', KEYS[7]) end
  event('paused')
end
local left = 0
if generation < 6 then left = merge(KEYS[3], limit, 250 * limit) end
return { answer, left }
