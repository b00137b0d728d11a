-- Makes a scheduler that adds a job again and again, and its first job, as BullMQ 5.16 and later do; the worker that runs one makes the
-- next. The first write takes room: a full server refuses all of it.
--
-- KEYS  14 all schedulers  15 the scheduler  16 hash of its first job  17 counter of added jobs
-- ARGV  4 its id  5 every (ms), or ""  6 when the first job is due (ms)  7 name  8 data (JSON)  9 id of the first job
--       10 opts of it (JSON)  11 cron pattern (UTC), or ""
-- Returns: done | exists | old
local version = call('HGET', KEYS[5], 'version') or ''
local major, minor = string.match(version, ':(%d+)%.(%d+)')
major, minor = tonumber(major or 0), tonumber(minor or 0)
if major < 5 or (major == 5 and minor < 16) then return 'old' end
if call('ZSCORE', KEYS[14], ARGV[4]) or call('EXISTS', KEYS[16]) == 1 then return 'exists' end
call('ZADD', KEYS[14], ARGV[6], ARGV[4])
call('HSET', KEYS[15], 'name', ARGV[7], 'data', ARGV[8], 'ic', 1)
if ARGV[11] == '' then
  call('HSET', KEYS[15], 'every', ARGV[5])
else
  call('HSET', KEYS[15], 'pattern', ARGV[11], 'tz', 'UTC')
end
local wait = string.format('%.0f', math.max(tonumber(ARGV[6]) - tonumber(now), 0))
call('INCR', KEYS[17])
call('HSET', KEYS[16], 'name', ARGV[7], 'data', ARGV[8], 'opts', ARGV[10], 'timestamp', now, 'delay', wait,
  'priority', 0, 'rjk', ARGV[4])
call('ZADD', KEYS[12], string.format('%.0f', tonumber(ARGV[6]) * 4096), ARGV[9])
event('added', 'jobId', ARGV[9], 'name', ARGV[7])
event('delayed', 'jobId', ARGV[9], 'delay', ARGV[6])
local first = call('ZRANGE', KEYS[12], 0, 0, 'WITHSCORES')
if not paused then
  call('ZADD', KEYS[7], string.format('%.0f', math.floor(tonumber(first[2]) / 4096)), '1')
end
return 'done'
