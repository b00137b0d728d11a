-- Moves failed jobs back to where their workers take them, each only if it is still failed.
--
-- Options: "p" by its priority, "a" attempts reset
-- Per job  KEYS hash, lock, its parent's dependencies, unsuccessful and failed (its own hash where it has none)
--          ARGV id, parent key or ""
-- Returns per job: done | ghost | moved | locked | grouped | parent
local by_priority = string.find(ARGV[3], 'p', 1, true) ~= nil
local reset = string.find(ARGV[3], 'a', 1, true) ~= nil

local function retry(id, parent, hash, lock, dependencies, unsuccessful, failures)
  local fields = redis.call('HMGET', hash, 'opts', 'parentKey', 'atm', 'ats', 'gid', 'priority', 'timestamp')
  if not fields[7] and redis.call('EXISTS', hash) == 0 then return 'ghost' end
  if bull and redis.call('EXISTS', lock) == 1 then return 'locked' end
  local opts = options(fields[1], by_priority)
  if fields[5] or type(opts.group) == 'table' then return 'grouped' end
  if (fields[2] or '') ~= parent then return 'parent' end
  if redis.call('ZREM', KEYS[1], id) == 0 then return 'moved' end
  redis.call('HDEL', hash, 'finishedOn', 'processedOn', 'failedReason')
  if reset then redis.call('HDEL', hash, 'atm', 'ats', 'attemptsMade') end
  if bull then redis.call('HSET', hash, 'retriedOn', now) end
  if fields[3] or fields[4] then marked = true end
  local priority = 0
  if by_priority then priority = tonumber(fields[6] or opts.priority or 0) or 0 end
  enqueue(id, priority, opts.lifo)
  if parent ~= '' and marked then
    if redis.call('ZREM', unsuccessful, hash) == 1 or redis.call('HDEL', failures, hash) == 1 then
      redis.call('SADD', dependencies, hash)
    end
  end
  event('waiting', 'jobId', id, 'prev', 'failed')
  return 'done'
end

local results = {}
for job = 0, (#ARGV - 3) / 2 - 1 do
  local at = 13 + job * 5
  results[#results + 1] = retry(ARGV[4 + job * 2], ARGV[5 + job * 2],
    KEYS[at + 1], KEYS[at + 2], KEYS[at + 3], KEYS[at + 4], KEYS[at + 5])
end
rouse()
return results
