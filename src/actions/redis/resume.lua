-- Resumes a queue: the switch first, then the jobs that the pause kept go back, ahead of what came meanwhile, order kept.
-- Called again until nothing is left to move.
--
-- Options: how many jobs one call may move
-- Returns: "changed" or "already", and how many are left to move
local limit = tonumber(ARGV[3])
local answer = 'already'
if paused then
  answer = 'changed'
  call('HDEL', KEYS[5], 'paused')
  call('DEL', KEYS[6])
  paused = false
  event('resumed')
end
local left = merge(KEYS[2], limit, 250 * limit)
local prioritized = call('ZCARD', KEYS[9]) > 0
if call('LLEN', KEYS[2]) > 0 or prioritized then
  wake = true
  if generation == 4 and call('LLEN', KEYS[2]) == 0 then call('LPUSH', KEYS[2], '0:0') end
  rouse()
elseif marked then
  local first = call('ZRANGE', KEYS[12], 0, 0, 'WITHSCORES')
  if first[2] then call('ZADD', KEYS[7], math.floor(tonumber(first[2]) / 4096), '1') end
end
return { answer, left }
