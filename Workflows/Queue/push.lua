-- Queues images of one request at the end of its line. Owners take turns, and within an owner its requests: a request that has no line
-- yet comes last in its owner's ring. An image that is already queued keeps its place: pushing it again has no effect.
--
-- KEYS[1] the gate, which every script declares so that no two scripts interleave
-- KEYS[2] hash: image -> the next image of its request, or '' for the last
-- KEYS[3] sorted set: owner -> its turn among the owners
-- KEYS[4] hash: 'first:<request>' and 'last:<request>' -> the ends of its line of images
-- KEYS[5] hash: request -> the next request of its owner, in a ring; 'last:<owner>' -> the request that the owner was served last;
--         'images:<owner>' -> how many of its images are queued; 'turn' -> the turn of the owner that was served last
-- ARGV[1] the owner
-- ARGV[2] the request
-- ARGV[3] the channel that waiting claimers subscribe to
-- ARGV[4...] image ids, in the order in which to serve them
-- Returns how many were newly queued.

local owner, request, channel = ARGV[1], ARGV[2], ARGV[3]

local added = 0
local last = redis.call('HGET', KEYS[4], 'last:' .. request)
for i = 4, #ARGV do
  local image = ARGV[i]
  if redis.call('HSETNX', KEYS[2], image, '') == 1 then
    if last then
      redis.call('HSET', KEYS[2], last, image)
    else
      redis.call('HSET', KEYS[4], 'first:' .. request, image)
    end
    last = image
    added = added + 1
  end
end

if added > 0 then
  redis.call('HSET', KEYS[4], 'last:' .. request, last)
  redis.call('HINCRBY', KEYS[5], 'images:' .. owner, added)
  if redis.call('HEXISTS', KEYS[5], request) == 0 then
    local served = redis.call('HGET', KEYS[5], 'last:' .. owner)
    redis.call('HSET', KEYS[5], request, served and redis.call('HGET', KEYS[5], served) or request)
    if served then
      redis.call('HSET', KEYS[5], served, request)
    end
    redis.call('HSET', KEYS[5], 'last:' .. owner, request)
  end
  -- A new owner joins now: turns cannot be saved up.
  redis.call('ZADD', KEYS[3], 'NX', tonumber(redis.call('HGET', KEYS[5], 'turn') or 0), owner)
  redis.call('PUBLISH', channel, added)
end
return added
