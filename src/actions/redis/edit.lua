-- Gives a job other data, if it is still what the operator saw and no worker has read it.
--
-- KEYS  14 hash  15 lock
-- ARGV  4 the data that was seen  5 the new data (JSON)
-- Returns: done | ghost | locked | changed
local data = call('HGET', KEYS[14], 'data')
if not data then return 'ghost' end
if call('EXISTS', KEYS[15]) == 1 then return 'locked' end
if data ~= ARGV[4] then return 'changed' end
call('HSET', KEYS[14], 'data', ARGV[5])
return 'done'
