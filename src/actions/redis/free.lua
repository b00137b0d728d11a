-- Frees deduplication ids whose holder is gone. A worker that still has the holder keeps the id: the next job would run beside it.
--
-- Per id  KEYS the id, hash of its holder, lock of its holder
--         ARGV the holder
-- Returns per id: done | free | other (another job holds it) | there (the holder exists) | held (a worker has it) | timed (it ends by itself)
local answers = {}
for at = 0, (#KEYS - 13) / 3 - 1 do
  local id, hash, lock = KEYS[14 + 3 * at], KEYS[15 + 3 * at], KEYS[16 + 3 * at]
  local holder = call('GET', id)
  local word = 'done'
  if not holder then
    word = 'free'
  elseif holder ~= ARGV[4 + at] then
    word = 'other'
  elseif call('EXISTS', hash) == 1 then
    word = 'there'
  elseif call('EXISTS', lock) == 1 then
    word = 'held'
  elseif call('PTTL', id) ~= -1 then
    word = 'timed'
  else
    call('DEL', id)
  end
  answers[#answers + 1] = word
end
return answers
