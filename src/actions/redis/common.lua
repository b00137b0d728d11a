-- What every script on a queue begins with. All keys are declared: a cluster and an access list need that.
--
-- No shebang, and the first write of each step is one that frees or moves (ZREM, RENAME): a server at maxmemory then carries
-- the step out whole instead of refusing half of it.
--
-- KEYS  1 failed  2 wait  3 paused  4 active  5 meta  6 meta-paused  7 marker  8 events  9 prioritized  10 pc  11 priority
--       12 delayed  13 completed, then per job what the script says
-- ARGV  1 now (ms)  2 generation: 0 Bull, 3 to 6 BullMQ, -1 BullMQ of an unknown generation  3 options, then per job
local call, find = redis.call, string.find
local now, generation = ARGV[1], tonumber(ARGV[2])
local bull, marked = generation == 0, generation >= 5
local paused = call('HEXISTS', KEYS[5], 'paused') == 1 or call('EXISTS', KEYS[6]) == 1
local wake = false

-- Tells those who follow the queue. The stream is cut with the first event of a call and then with every 64th: its limit is a rough one.
local told = 0
local function event(...)
  if bull then return end
  told = told + 1
  if told % 64 == 1 then
    local limit = call('HGET', KEYS[5], 'opts.maxLenEvents') or '10000'
    call('XADD', KEYS[8], 'MAXLEN', '~', limit, '*', 'event', ...)
  else
    call('XADD', KEYS[8], '*', 'event', ...)
  end
end

-- Puts a job in line: by its priority where that is wanted, in front of the others when it is lifo, else behind them.
local function enqueue(id, priority, lifo)
  local target = paused and KEYS[3] or KEYS[2]
  wake = true
  -- How an unknown generation keeps priorities is not known, either.
  if priority <= 0 or generation < 0 then
    call(lifo and 'RPUSH' or 'LPUSH', target, id)
  elseif generation >= 4 then
    local counter = call('INCR', KEYS[10])
    call('ZADD', KEYS[9], priority * 4294967296 + counter % 4294967296, id)
    if generation == 4 and not paused and call('LLEN', KEYS[2]) == 0 then
      call('LPUSH', KEYS[2], '0:0')
    end
  else
    -- Bull and BullMQ 3: the list itself is in order; the index counts how many stand before.
    call('ZADD', KEYS[11], priority, id)
    local before = call('ZCOUNT', KEYS[11], 0, priority)
    local next = call('LINDEX', target, call('LLEN', target) - (before - 1))
    if next then
      call('LINSERT', target, 'BEFORE', next, id)
    else
      call('RPUSH', target, id)
    end
  end
end

-- Wakes a worker that waits for a marker, unless nothing may run.
local function rouse()
  if not (wake and marked) or paused then return end
  local concurrency = tonumber(call('HGET', KEYS[5], 'concurrency') or '0')
  if concurrency == 0 or call('LLEN', KEYS[4]) < concurrency then
    call('ZADD', KEYS[7], 0, '0')
  end
end

-- Tells the workers when the next delayed job is due, as each generation does it.
local function tell_due()
  local first = call('ZRANGE', KEYS[12], 0, 0, 'WITHSCORES')
  if first[2] then
    local next = string.format('%.0f', math.floor(tonumber(first[2]) / 4096))
    if marked then
      if not paused then call('ZADD', KEYS[7], next, '1') end
    elseif bull then
      -- Its queues set a timer by this message; without the right to publish they look every five seconds.
      redis.pcall('PUBLISH', KEYS[12], next)
    else
      local target = KEYS[2]
      if paused then target = KEYS[3] end
      if call('LLEN', target) == 0 then
        call('LPUSH', target, '0:' .. next)
      else
        local head = call('LINDEX', target, 0)
        if string.sub(head, 1, 2) == '0:' and tonumber(string.sub(head, 3)) > tonumber(next) then
          call('LSET', target, 0, '0:' .. next)
        end
      end
    end
  end
end

-- What a script looks for in a job's options; reading them is dear, and most jobs have none of it. (Without their first quotation mark
-- the words are found faster: there are many of those.)
local none = {}
local function options(text, by_priority)
  if not text then return none end
  local worth = by_priority or find(text, 'lifo"', 1, true) or find(text, 'group"', 1, true)
  if not worth then return none end
  local read, value = pcall(cjson.decode, text)
  if read and type(value) == 'table' then return value end
  return none
end

-- How many jobs of a list are moved in one command: what a script may put on its stack is bounded.
local chunk = 1000

-- Moves a whole list to the end of another at which it joins, order kept; room is freed before any is taken.
local function join(source, target, command)
  for _ = 1, math.ceil(call('LLEN', source) / chunk) do
    local jobs = {}
    if command == 'RPUSH' then
      jobs = call('LRANGE', source, 0, chunk - 1)
      call('LTRIM', source, chunk, -1)
    else
      local oldest = call('LRANGE', source, -chunk, -1)
      call('LTRIM', source, 0, -chunk - 1)
      for at = #oldest, 1, -1 do jobs[#jobs + 1] = oldest[at] end
    end
    call(command, target, unpack(jobs))
  end
end

-- Makes one list of the two in which jobs wait, under the name `target`: those of `paused` are taken first, order kept. The shorter one
-- joins the longer one in one go, so that there is no moment between at which a library's own pause or resume, which renames one list
-- over the other, loses any. Only where both are longer than `most` it takes more than one call of `limit` jobs: one call would hold
-- the server for too long then.
-- Returns how many are left to move.
local function merge(target, limit, most)
  local source = target == KEYS[2] and KEYS[3] or KEYS[2]
  local waiting, held = call('LLEN', KEYS[2]), call('LLEN', KEYS[3])
  if waiting > 0 and held > 0 then
    if math.min(waiting, held) > most then
      if target == KEYS[2] then
        local newest = call('LRANGE', source, 0, limit - 1)
        call('LTRIM', source, limit, -1)
        for at = 1, #newest do call('RPUSH', target, newest[at]) end
      else
        local oldest = call('LRANGE', source, -limit, -1)
        call('LTRIM', source, 0, -limit - 1)
        for at = #oldest, 1, -1 do call('LPUSH', target, oldest[at]) end
      end
      return call('LLEN', source)
    end
    if waiting <= held then
      join(KEYS[2], KEYS[3], 'LPUSH')
    else
      join(KEYS[3], KEYS[2], 'RPUSH')
    end
  end
  if call('EXISTS', source) == 1 then call('RENAME', source, target) end
  return 0
end
