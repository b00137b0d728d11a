-- Sets how many jobs all workers together may run at once, and wakes one that waited for room.
--
-- Options: the limit, empty for none
-- Returns: done | same | old
if generation < 5 then return 'old' end
local before = call('HGET', KEYS[5], 'concurrency') or ''
if before == ARGV[3] then return 'same' end
if ARGV[3] == '' then
  call('HDEL', KEYS[5], 'concurrency')
else
  call('HSET', KEYS[5], 'concurrency', ARGV[3])
end
wake = call('EXISTS', KEYS[2], KEYS[9]) > 0
rouse()
return 'done'
