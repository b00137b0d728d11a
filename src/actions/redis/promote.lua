-- Moves delayed jobs to where their workers take them at once, each only if it is still delayed.
--
-- Per job  KEYS hash   ARGV id
-- Returns per job: done | ghost | moved | grouped
local function promote(id, hash)
  if call('EXISTS', hash) == 0 then return 'ghost' end
  local fields = call('HMGET', hash, 'opts', 'priority', 'gid')
  local opts = options(fields[1], true)
  if fields[3] or type(opts.group) == 'table' then return 'grouped' end
  if call('ZREM', KEYS[12], id) == 0 then return 'moved' end
  call('HSET', hash, 'delay', 0)
  enqueue(id, tonumber(fields[2] or opts.priority or 0) or 0, opts.lifo)
  event('waiting', 'jobId', id, 'prev', 'delayed')
  return 'done'
end

local results = {}
for job = 1, #ARGV - 3 do
  results[job] = promote(ARGV[3 + job], KEYS[13 + job])
end
rouse()
return results
