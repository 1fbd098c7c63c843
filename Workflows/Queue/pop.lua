-- Pops the next images for one process. Owners take turns, and places are shared between them: an owner may always take its equal
-- share of the process' places, and may borrow free ones, but never the last quarter, and none beyond the limit for one owner. An owner
-- without room is passed over.
--
-- Lines and rings are linked lists in hashes because no step may depend on how much is queued: on some servers, a range of a sorted set
-- costs as much as everything behind its start.
--
-- KEYS[1] the gate, which every script declares so that no two scripts interleave
-- KEYS[2] hash: image -> the next image of its request, or '' for the last
-- KEYS[3] sorted set: owner -> its turn among the owners
-- KEYS[4] hash: 'first:<request>' and 'last:<request>' -> the ends of its line of images
-- KEYS[5] hash: request -> the next request of its owner, in a ring; 'last:<owner>' -> the request that the owner was served last;
--         'images:<owner>' -> how many of its images are queued; 'turn' -> the turn of the owner that was served last
-- ARGV[1] the number of free places
-- ARGV[2] the number of all places
-- ARGV[3] the number of places that one owner may hold
-- ARGV[4...] owners that hold places, each followed by how many
-- Returns an owner's share; how many places are missing for owners that wait for theirs; and the image ids.

local free, places, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])

-- Takes the first image of a request's line. Returns it, if there is one, and whether there are more.
local function take(request)
  local image = redis.call('HGET', KEYS[4], 'first:' .. request)
  local following = image and redis.call('HGET', KEYS[2], image)
  if following then
    redis.call('HDEL', KEYS[2], image)
    if following ~= '' then
      redis.call('HSET', KEYS[4], 'first:' .. request, following)
      return image, true
    end
  end
  redis.call('HDEL', KEYS[4], 'first:' .. request, 'last:' .. request)
  return following and image, false
end

-- Takes the next images of an owner, one from each of its requests in turn. Returns whether it has more.
local function serve(owner, count, result)
  local served = redis.call('HGET', KEYS[5], 'last:' .. owner)
  local left = count
  while served and left > 0 do
    local request = redis.call('HGET', KEYS[5], served)
    if not request then
      served = request
      break
    end
    local image, more = take(request)
    if image then
      result[#result + 1] = image
      left = left - 1
    end
    if more then
      served = request
    else
      local following = redis.call('HGET', KEYS[5], request)
      redis.call('HDEL', KEYS[5], request)
      if request == served then
        served = false
      else
        redis.call('HSET', KEYS[5], served, following)
      end
    end
  end

  if served then
    redis.call('HSET', KEYS[5], 'last:' .. owner, served)
    redis.call('HINCRBY', KEYS[5], 'images:' .. owner, left - count)
  else
    redis.call('HDEL', KEYS[5], 'last:' .. owner, 'images:' .. owner)
  end
  return served, count - left
end

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
    local more, popped = serve(owner, owners == 1 and room or 1, result)
    free = free - popped
    held[owner] = holds + popped
    turn = math.max(turn, tonumber(entry[2]))
    if more then
      redis.call('ZADD', KEYS[3], turn + 1, owner)
    else
      redis.call('ZREM', KEYS[3], owner)
    end
  end
end

-- Without a free place, the owners that follow have not been asked.
local missing = 0
if free == 0 then
  for _, owner in ipairs(redis.call('ZRANGE', KEYS[3], 0, places)) do
    local wanted = math.min(share - (held[owner] or 0), tonumber(redis.call('HGET', KEYS[5], 'images:' .. owner) or 0))
    missing = missing + math.max(0, wanted)
  end
end

if redis.call('ZCARD', KEYS[3]) == 0 then
  redis.call('DEL', KEYS[2], KEYS[4], KEYS[5])
elseif #result > 2 then
  redis.call('HSET', KEYS[5], 'turn', turn)
end
result[1], result[2] = share, missing
return result
