-- Gives delayed jobs another time, and tells the workers when the next one is due, as each generation does it.
--
-- Options: when they are due (ms)
-- Per job  KEYS hash   ARGV id
-- Returns per job: done | ghost | moved | grouped
local due = tonumber(ARGV[3])

local function change(id, hash)
  if call('EXISTS', hash) == 0 then return 'ghost' end
  local fields = call('HMGET', hash, 'opts', 'gid')
  if fields[2] or type(options(fields[1]).group) == 'table' then return 'grouped' end
  local score = call('ZSCORE', KEYS[12], id)
  if not score then return 'moved' end
  call('ZADD', KEYS[12], string.format('%.0f', due * 4096 + tonumber(score) % 4096), id)
  call('HSET', hash, 'delay', string.format('%.0f', math.max(due - tonumber(now), 0)))
  event('delayed', 'jobId', id, 'delay', ARGV[3])
  return 'done'
end

local results = {}
for job = 1, #ARGV - 3 do
  results[job] = change(ARGV[3 + job], KEYS[13 + job])
end

tell_due()
return results
