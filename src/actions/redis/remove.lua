-- Removes jobs with everything that belongs to them, each only if it is still in the state in which it was chosen.
--
-- Options: that state
-- Per job  KEYS hash, lock, logs, dependencies, processed, failed, unsuccessful, deduplication key (its own hash where it has none),
--               what comes after it by that id, schedulers, parents that wait
--          ARGV id, data of what comes after it (empty where none was written down)
-- Returns per job: done | both (done, with what comes after it) | moved | locked | grouped | child | parent | scheduled | next
local state = ARGV[3]
local sets = { failed = KEYS[1], prioritized = KEYS[9], delayed = KEYS[12], completed = KEYS[13] }

-- A job that only has its hash: its own library neither runs nor removes it, and throws others of its id away.
local stray = state == 'in no list'

local function there(id, hash, waiting)
  if stray then
    for _, set in pairs(sets) do
      if call('ZSCORE', set, id) then return false end
    end
    for list = 2, 4 do
      if call('LPOS', KEYS[list], id) then return false end
    end
    return call('EXISTS', hash) == 1 and not call('ZSCORE', waiting, id)
  end
  if sets[state] then return call('ZSCORE', sets[state], id) end
  return call('LPOS', KEYS[2], id) or call('LPOS', KEYS[3], id)
end

local function remove(id, written, hash, lock, logs, dependencies, processed, failures, unsuccessful, owner, after, schedulers, waiting)
  if not there(id, hash, waiting) then return 'moved' end
  if call('EXISTS', lock) == 1 then return 'locked' end
  local fields = call('HMGET', hash, 'parentKey', 'gid', 'opts')
  if fields[2] or type(options(fields[3]).group) == 'table' then return 'grouped' end
  if fields[1] then return 'child' end
  if call('EXISTS', dependencies, processed, failures, unsuccessful) > 0 then return 'parent' end
  local made = string.sub(id, 1, 7) == 'repeat:' and state ~= 'failed' and state ~= 'completed'
  if made and call('ZCARD', schedulers) > 0 then return 'scheduled' end
  -- What waits for its end by its deduplication id would be added by the next job of that id, long after: it goes along, as with its own
  -- library, but never what nobody wrote down.
  local owns = owner ~= hash and call('GET', owner) == id
  local along = owns and call('HGET', after, 'data')
  if along and along ~= written then return 'next' end
  if sets[state] then
    call('ZREM', sets[state], id)
  elseif not stray and call('LREM', KEYS[2], 1, id) == 0 then
    call('LREM', KEYS[3], 1, id)
  end
  if generation < 4 then call('ZREM', KEYS[11], id) end
  if owns then call('DEL', owner, after) end
  call('DEL', hash, logs)
  event('removed', 'jobId', id, 'prev', stray and 'unknown' or state)
  return along and 'both' or 'done'
end

local results = {}
for job = 1, (#ARGV - 3) / 2 do
  local at = 13 + (job - 1) * 11
  results[job] = remove(ARGV[2 + 2 * job], ARGV[3 + 2 * job], KEYS[at + 1], KEYS[at + 2], KEYS[at + 3], KEYS[at + 4], KEYS[at + 5],
    KEYS[at + 6], KEYS[at + 7], KEYS[at + 8], KEYS[at + 9], KEYS[at + 10], KEYS[at + 11])
end
return results
