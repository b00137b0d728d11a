-- Takes jobs from workers that are gone, each only if it is in progress without a lock: back to waiting, or failed.
--
-- Where a worker has looked for such jobs within its interval (30 s by default), they are left to it.
--
-- Options: "wait" or "failed", where they go
-- KEYS  14 stalled  15 stalled-check
-- Per job  KEYS hash, lock, dependencies, processed, failed, unsuccessful, deduplication key, what comes after it by that id (its own hash
--               where it has no such id)
--          ARGV id
-- Returns per job: done | ghost | locked | checked | moved | grouped | child | parent | next
local fails = ARGV[3] == 'failed'
local reason = 'given up by an operator: its worker was gone'

local function take(id, hash, lock, dependencies, processed, failures, unsuccessful, owner, after)
  if call('EXISTS', hash) == 0 then return 'ghost' end
  if call('EXISTS', lock) == 1 then return 'locked' end
  if call('EXISTS', KEYS[15]) == 1 then return 'checked' end
  local fields = call('HMGET', hash, 'opts', 'gid', 'parentKey')
  if fields[2] or type(options(fields[1]).group) == 'table' then return 'grouped' end
  if fails and fields[3] then return 'child' end
  if fails and call('EXISTS', dependencies, processed, failures, unsuccessful) > 0 then return 'parent' end
  if fails and after ~= hash and call('EXISTS', after) == 1 then return 'next' end
  if call('LREM', KEYS[4], 1, id) == 0 then return 'moved' end
  call('SREM', KEYS[14], id)
  if fails then
    call('ZADD', KEYS[1], now, id)
    call('HSET', hash, 'failedReason', reason, 'finishedOn', now)
    -- As its library does where a job ends: else each later one of that id would be thrown away. One for a time lasts as long.
    if owner ~= hash and call('PTTL', owner) == -1 and call('GET', owner) == id then call('DEL', owner) end
    event('failed', 'jobId', id, 'failedReason', reason, 'prev', 'active')
  else
    -- In front, as its library does it.
    enqueue(id, 0, true)
    event('waiting', 'jobId', id, 'prev', 'active')
  end
  return 'done'
end

local results = {}
for job = 1, #ARGV - 3 do
  local at = 15 + (job - 1) * 8
  results[job] = take(ARGV[3 + job], KEYS[at + 1], KEYS[at + 2], KEYS[at + 3], KEYS[at + 4], KEYS[at + 5], KEYS[at + 6],
    KEYS[at + 7], KEYS[at + 8])
end
wake = true
rouse()
return results
