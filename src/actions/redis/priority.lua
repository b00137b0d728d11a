-- Gives jobs that nobody has yet another priority.
--
-- Options: the priority, 0 for none
-- Per job  KEYS hash   ARGV id
-- Returns per job: done | ghost | moved | grouped
local rank = tonumber(ARGV[3])

local function change(id, hash)
  if call('EXISTS', hash) == 0 then return 'ghost' end
  local fields = call('HMGET', hash, 'opts', 'gid')
  local opts = options(fields[1])
  if fields[2] or type(opts.group) == 'table' then return 'grouped' end
  if call('ZSCORE', KEYS[12], id) then
    call('HSET', hash, 'priority', rank)
    return 'done'
  end
  local stood = call('ZREM', KEYS[9], id) == 1 or call('LREM', KEYS[2], -1, id) == 1
    or call('LREM', KEYS[3], -1, id) == 1
  if not stood then return 'moved' end
  if generation < 4 then call('ZREM', KEYS[11], id) end
  call('HSET', hash, 'priority', rank)
  enqueue(id, rank, opts.lifo)
  return 'done'
end

local results = {}
for job = 1, #ARGV - 3 do
  results[job] = change(ARGV[3 + job], KEYS[13 + job])
end
rouse()
return results
