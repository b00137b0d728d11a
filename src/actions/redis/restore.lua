-- Puts removed jobs back as they were, each only if there is none of its id: those that waited at the end of the line.
--
-- Per job  KEYS hash, logs, deduplication key (its own hash where it has none), what comes after it by that id
--          ARGV id, state, score or "", priority, number of fields, then name and value of each, number of log lines, then these, number of
--               fields of what came after it, then name and value of each
-- Returns per job: done | both (done, with what came after it) | alone (done, and another has its deduplication id by now) | exists
local sets = { failed = KEYS[1], prioritized = KEYS[9], delayed = KEYS[12], completed = KEYS[13] }

local results, at, key, delayed = {}, 4, 14, false
while at <= #ARGV do
  local id, state, score, priority, fields = ARGV[at], ARGV[at + 1], ARGV[at + 2], tonumber(ARGV[at + 3]) or 0, tonumber(ARGV[at + 4])
  local hash, logs, owner, after = KEYS[key], KEYS[key + 1], KEYS[key + 2], KEYS[key + 3]
  local first = at + 5
  local past = first + 2 * fields
  local lines = tonumber(ARGV[past])
  local along = past + 1 + lines
  local coming = tonumber(ARGV[along])
  at, key = along + 1 + 2 * coming, key + 4
  if call('EXISTS', hash) == 1 then
    results[#results + 1] = 'exists'
  else
    for pair = first, past - 1, 2 do call('HSET', hash, ARGV[pair], ARGV[pair + 1]) end
    for line = past + 1, past + lines do call('RPUSH', logs, ARGV[line]) end
    if state == 'waiting' or state == 'prioritized' then
      enqueue(id, priority, false)
      event('waiting', 'jobId', id)
    elseif sets[state] then
      call('ZADD', sets[state], score, id)
      delayed = delayed or state == 'delayed'
      event(state, 'jobId', id, 'prev', 'removed')
    end
    local result = 'done'
    if coming > 0 then
      -- As its library keeps it: the id holds as long as its job does.
      result = 'alone'
      if call('EXISTS', owner, after) == 0 then
        result = 'both'
        call('SET', owner, id)
        for pair = along + 1, along + 2 * coming, 2 do call('HSET', after, ARGV[pair], ARGV[pair + 1]) end
      end
    end
    results[#results + 1] = result
  end
end
rouse()
if delayed then tell_due() end
return results
