-- Pops the next images for one process. Owners take turns, and places are shared between them: an owner may always take its equal
-- share of the process' places, and may borrow free ones, but never the last quarter, and none beyond the limit for one owner. An owner
-- without room is passed over.
--
-- KEYS[1] the gate, which every script declares so that no two scripts interleave
-- KEYS[2] sorted set of equal scores: owner|turn|image
-- KEYS[3] sorted set: owner -> its turn among the owners
-- KEYS[4] sorted set: request -> its next turn within its owner
-- KEYS[5] hash: image -> its member of KEYS[2]; and 'turn' -> the turn of the owner that was served last
-- ARGV[1] the number of free places
-- ARGV[2] the number of all places
-- ARGV[3] the number of places that one owner may hold
-- ARGV[4...] owners that hold places, each followed by how many
-- Returns an owner's share; how many places are missing for owners that wait for theirs; and the image ids.

local free, places, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

local held = {}
local owners = redis.call('ZCARD', KEYS[3])
for i = 4, #ARGV, 2 do
  held[ARGV[i]] = tonumber(ARGV[i + 1])
  if not redis.call('ZSCORE', KEYS[3], ARGV[i]) then
    owners = owners + 1
  end
end

-- There may always be another owner.
local share = math.min(limit, math.max(1, math.floor(places / math.max(2, owners))))
local reserve = math.floor(places / 4)
local turn = tonumber(redis.call('HGET', KEYS[5], 'turn') or 0)

local result = { 0, 0 }
local rank = 0
while free > 0 do
  local entry = redis.call('ZRANGE', KEYS[3], rank, rank, 'WITHSCORES')
  if not entry[1] then
    break
  end
  local owner = entry[1]
  local holds = held[owner] or 0
  local room = math.min(free, limit - holds, math.max(share - holds, free - reserve))
  if room <= 0 then
    rank = rank + 1
  else
    -- One image a turn, unless there is nobody to take turns with.
    local count = owners == 1 and room or 1
    local members = redis.call('ZRANGEBYLEX', KEYS[2], '[' .. owner .. '|', '(' .. owner .. '}', 'LIMIT', 0, count + 1)
    local popped = math.min(count, #members)
    for i = 1, popped do
      local id = string.sub(members[i], #owner + 19)
      redis.call('ZREM', KEYS[2], members[i])
      redis.call('HDEL', KEYS[5], id)
      result[#result + 1] = id
    end
    free = free - popped
    held[owner] = holds + popped
    turn = math.max(turn, tonumber(entry[2]))
    if #members <= count then
      redis.call('ZREM', KEYS[3], owner)
    else
      redis.call('ZADD', KEYS[3], turn + 1, owner)
    end
  end
end

-- Without a free place, the owners that follow have not been asked.
local missing = 0
if free == 0 then
  for _, owner in ipairs(redis.call('ZRANGE', KEYS[3], 0, places)) do
    local wanted = share - (held[owner] or 0)
    if wanted > 0 then
      missing = missing + #redis.call('ZRANGEBYLEX', KEYS[2], '[' .. owner .. '|', '(' .. owner .. '}', 'LIMIT', 0, wanted)
    end
  end
end

if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('DEL', KEYS[3], KEYS[4], KEYS[5])
elseif #result > 2 then
  redis.call('HSET', KEYS[5], 'turn', turn)
end
result[1], result[2] = share, missing
return result
