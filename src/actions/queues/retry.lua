-- Moves failed jobs back to where their workers take them, each only if it is still failed. One batch, one step.
--
-- No shebang, and the first write of each job is ZREM: a server at maxmemory then carries the step out whole instead of
-- refusing half of it.
--
-- KEYS  1 failed  2 wait  3 paused  4 active  5 meta  6 meta-paused  7 marker  8 events,
--       then per job: hash, lock, and its parent's dependencies, unsuccessful and failed (its own hash where it has none)
-- ARGV  1 now (ms)  2 "bull" or "bullmq"  3 "1": workers are woken by a marker, then per job: id, parent key or ""
-- Returns per job: retried | ghost | moved | locked | grouped | parent
local now, family, marker = ARGV[1], ARGV[2], ARGV[3] == '1'
local paused = redis.call('HEXISTS', KEYS[5], 'paused') == 1 or redis.call('EXISTS', KEYS[6]) == 1
local target = KEYS[2]
if paused then target = KEYS[3] end
local limit = redis.call('HGET', KEYS[5], 'opts.maxLenEvents') or '10000'
local concurrency = tonumber(redis.call('HGET', KEYS[5], 'concurrency') or '0')
local results, wake = {}, false

local function retry(id, parent, hash, lock, dependencies, unsuccessful, failures)
  if redis.call('EXISTS', hash) == 0 then return 'ghost' end
  if family == 'bull' and redis.call('EXISTS', lock) == 1 then return 'locked' end
  local fields = redis.call('HMGET', hash, 'opts', 'parentKey', 'atm', 'ats', 'gid')
  if fields[5] then return 'grouped' end
  if (fields[2] or '') ~= parent then return 'parent' end
  local read, opts = pcall(cjson.decode, fields[1] or '{}')
  if not read or type(opts) ~= 'table' then opts = {} end
  if type(opts.group) == 'table' then return 'grouped' end
  if redis.call('ZREM', KEYS[1], id) == 0 then return 'moved' end
  redis.call('HDEL', hash, 'finishedOn', 'processedOn', 'failedReason')
  if family == 'bull' then redis.call('HSET', hash, 'retriedOn', now) end
  if opts.lifo then redis.call('RPUSH', target, id) else redis.call('LPUSH', target, id) end
  if family == 'bullmq' then
    if fields[3] or fields[4] then marker = true end
    if parent ~= '' and marker then
      if redis.call('ZREM', unsuccessful, hash) == 1 or redis.call('HDEL', failures, hash) == 1 then
        redis.call('SADD', dependencies, hash)
      end
    end
    redis.call('XADD', KEYS[8], 'MAXLEN', '~', limit, '*', 'event', 'waiting', 'jobId', id, 'prev', 'failed')
  end
  wake = true
  return 'retried'
end

for job = 0, (#ARGV - 3) / 2 - 1 do
  local at = 8 + job * 5
  results[#results + 1] = retry(ARGV[4 + job * 2], ARGV[5 + job * 2],
    KEYS[at + 1], KEYS[at + 2], KEYS[at + 3], KEYS[at + 4], KEYS[at + 5])
end

if wake and marker and not paused and (concurrency == 0 or redis.call('LLEN', KEYS[4]) < concurrency) then
  redis.call('ZADD', KEYS[7], 0, '0')
end
return results
