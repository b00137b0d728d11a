-- Moves failed jobs back to where their workers take them, each only if it is still failed.
--
-- What was looked up just before, and cannot become wrong since, is not looked up again, for it is dear: whether any of the jobs is in a
-- group, and which of them have no parent. (One that gets a parent now is counted by that one as open already.)
--
-- Options: "p" by its priority, "a" attempts reset, "g" some may be in a group, "m" the last key marks the letter that
-- the job stands for: it is retried once for that letter, and no second time, whatever became of it; "d" some have a deduplication id; "c" they are completed, not failed
-- Per job  KEYS hash, for Bull its lock, for a job with a parent that one's dependencies, unsuccessful and failed, with "d" the key of
--          its deduplication id (its own hash where it has none)
--          ARGV id, parent key or ""
-- Returns per job: done | child | twin (done, and a newer job has its deduplication id) | ghost | moved | locked | grouped | parent | again
local by_priority = string.find(ARGV[3], 'p', 1, true) ~= nil
local reset = string.find(ARGV[3], 'a', 1, true) ~= nil
local groups = string.find(ARGV[3], 'g', 1, true) ~= nil
local deduplicated = string.find(ARGV[3], 'd', 1, true) ~= nil
local completed = string.find(ARGV[3], 'c', 1, true) ~= nil
local from, was = KEYS[1], 'failed'
if completed then from, was = KEYS[13], 'completed' end
local mark = string.find(ARGV[3], 'm', 1, true) and KEYS[#KEYS]

-- Whether a worker of BullMQ 5 or later has tried this job, whatever its queue looks like.
local function counted(hash)
  local fields = call('HMGET', hash, 'atm', 'ats')
  return fields[1] or fields[2]
end

local function retry(id, parent, hash, lock, dependencies, unsuccessful, failures, owned)
  local text = call('HGET', hash, 'opts')
  if not text and call('EXISTS', hash) == 0 then return 'ghost' end
  if lock and call('EXISTS', lock) == 1 then return 'locked' end
  local opts = options(text, by_priority)
  if type(opts.group) == 'table' or groups and call('HGET', hash, 'gid') then return 'grouped' end
  if parent ~= '' and call('HGET', hash, 'parentKey') ~= parent then return 'parent' end
  if not marked and not bull and counted(hash) then marked = true end
  if mark and call('EXISTS', mark) == 1 then return 'again' end
  -- Its parent has its result already, and may have gone on with it.
  if completed and parent ~= '' then return 'child' end
  if call('ZREM', from, id) == 0 then return 'moved' end
  -- "defa": why a worker is to fail it at once. Versions of BullMQ 5 before 5.60 leave it at a job that they failed by it.
  call('HDEL', hash, 'finishedOn', 'processedOn', 'failedReason', 'returnvalue', 'defa')
  -- How often it stalled counts as attempts do: after too many, once more fails it.
  if reset then call('HDEL', hash, 'atm', 'ats', 'attemptsMade', 'stc', 'stalledCounter') end
  if bull then call('HSET', hash, 'retriedOn', now) end
  local priority = 0
  if by_priority then priority = tonumber(call('HGET', hash, 'priority') or opts.priority or 0) or 0 end
  enqueue(id, priority, opts.lifo)
  if parent ~= '' and marked then
    if call('ZREM', unsuccessful, hash) == 1 or call('HDEL', failures, hash) == 1 then
      call('SADD', dependencies, hash)
    end
  end
  event('waiting', 'jobId', id, 'prev', was)
  if mark then call('SET', mark, now) end
  local owner = owned and owned ~= hash and call('GET', owned)
  if owner and owner ~= id then return 'twin' end
  return 'done'
end

local results, job, key = {}, 0, 14
for at = 4, #ARGV, 2 do
  local id, parent, hash, lock = ARGV[at], ARGV[at + 1], KEYS[key], nil
  job, key = job + 1, key + 1
  if bull then
    lock, key = KEYS[key], key + 1
  end
  local dependencies, unsuccessful, failures, owned
  if parent ~= '' then
    dependencies, unsuccessful, failures, key = KEYS[key], KEYS[key + 1], KEYS[key + 2], key + 3
  end
  if deduplicated then
    owned, key = KEYS[key], key + 1
  end
  results[job] = retry(id, parent, hash, lock, dependencies, unsuccessful, failures, owned)
end
rouse()
return results
