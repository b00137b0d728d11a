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
if generation < 6 then
  left = call('LLEN', KEYS[2])
  if left > 0 and call('EXISTS', KEYS[3]) == 0 then
    call('RENAME', KEYS[2], KEYS[3])
    left = 0
  elseif left > 0 then
    -- There are jobs of an earlier pause: those stand nearer to the tail, where the next one is taken.
    local count = math.min(left, limit)
    local oldest = call('LRANGE', KEYS[2], -count, -1)
    call('LTRIM', KEYS[2], 0, -count - 1)
    for at = count, 1, -1 do call('LPUSH', KEYS[3], oldest[at]) end
    left = left - count
  end
end
return { answer, left }
