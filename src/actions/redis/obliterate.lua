-- Removes what is left of a queue that has no job any more.
--
-- KEYS  14 waiting-children  15 repeat, then the other keys of the queue
-- Returns: done | jobs | schedulers
if call('EXISTS', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[9], KEYS[12], KEYS[13], KEYS[14]) > 0 then
  return 'jobs'
end
if call('EXISTS', KEYS[15]) > 0 then return 'schedulers' end
call('DEL', KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[10], KEYS[11])
for key = 16, #KEYS do call('DEL', KEYS[key]) end
return 'done'
