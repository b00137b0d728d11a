-- Removes a scheduler and the job that it made for its next time, if that still is the one that was seen.
--
-- KEYS  14 all schedulers  15 the scheduler  16 hash of its next job
-- ARGV  4 its id  5 its next time (ms)  6 id of its next job
-- Returns: done | gone | moved | legacy
local score = call('ZSCORE', KEYS[14], ARGV[4])
if not score then return 'gone' end
if call('EXISTS', KEYS[15]) == 0 then return 'legacy' end
if tonumber(score) ~= tonumber(ARGV[5]) then return 'moved' end
call('ZREM', KEYS[14], ARGV[4])
call('DEL', KEYS[15])
if call('ZREM', KEYS[12], ARGV[6]) == 1 then
  call('DEL', KEYS[16])
  event('removed', 'jobId', ARGV[6], 'prev', 'delayed')
end
return 'done'
