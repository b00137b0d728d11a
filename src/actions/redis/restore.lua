-- Puts removed jobs back as they were, each only if there is none of its id: those that waited at the end of the line.
--
-- Per job  KEYS hash, logs
--          ARGV id, state, score or "", priority, number of fields, then name and value of each, number of log lines, then these
-- Returns per job: done | exists
local sets = { failed = KEYS[1], prioritized = KEYS[9], delayed = KEYS[12], completed = KEYS[13] }

local results, at, key, delayed = {}, 4, 14, false
while at <= #ARGV do
  local id, state, score, priority, fields = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]) or 0, tonumber(ARGV[at + 4])
  local hash, logs = KEYS[key], KEYS[key + 1]
  local first = at + 5
  local after = first + 2 * fields
  local lines = tonumber(ARGV[after])
  at, key = after + 1 + lines, key + 2
  if call('EXISTS', hash) == 1 then
    results[#results + 1] = 'exists'
  else
    for pair = first, after - 1, 2 do call('HSET', hash, ARGV[pair], ARGV[pair + 1]) end
    for line = after + 1, after + lines do call('RPUSH', logs, ARGV[line]) end
    if state == 'waiting' or state == 'prioritized' then
      enqueue(id, priority, false)
      event('waiting', 'jobId', id)
    else
      call('ZADD', sets[state], score, id)
      delayed = delayed or state == 'delayed'
      event(state, 'jobId', id, 'prev', 'removed')
    end
    results[#results + 1] = 'done'
  end
end
rouse()
if delayed then tell_due() end
return results
