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
local left = call('LLEN', KEYS[3])
if left > 0 and call('EXISTS', KEYS[2]) == 0 then
  call('RENAME', KEYS[3], KEYS[2])
  left = 0
elseif left > 0 then
  local count = math.min(left, limit)
  local newest = call('LRANGE', KEYS[3], 0, count - 1)
  call('LTRIM', KEYS[3], count, -1)
  for at = 1, count do call('RPUSH', KEYS[2], newest[at]) end
  left = left - count
end
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
