-- Adds one job, if its id is free. The first write takes room: a full server refuses all of it.
--
-- KEYS  14 hash  15 counter of added jobs  16 the mark of a letter that this job stands for, if it does
-- ARGV  4 id  5 name  6 data (JSON)  7 opts (JSON)  8 priority  9 delay (ms)
-- Returns: done | exists
local hash, id = KEYS[14], ARGV[4]
local mark = KEYS[16]
if call('EXISTS', hash) == 1 or mark and call('EXISTS', mark) == 1 then return 'exists' end
local delay = tonumber(ARGV[9] or '0')
call('HSET', hash, 'name', ARGV[5], 'data', ARGV[6], 'opts', ARGV[7], 'timestamp', now, 'delay', delay,
  'priority', ARGV[8])
local count = call('INCR', KEYS[15])
event('added', 'jobId', id, 'name', ARGV[5])
if delay > 0 then
  local due = tonumber(now) + delay
  call('ZADD', KEYS[12], string.format('%.0f', due * 4096 + count % 4096), id)
  event('delayed', 'jobId', id, 'delay', string.format('%.0f', due))
  tell_due()
else
  enqueue(id, tonumber(ARGV[8]) or 0, options(ARGV[7]).lifo)
  event('waiting', 'jobId', id)
  rouse()
end
if mark then call('SET', mark, now) end
return 'done'
