-- Removes all images of one request from the queue. The request leaves its owner's ring when its turn comes, and so does an owner without
-- requests.
--
-- KEYS[1] the gate, which every script declares so that no two scripts interleave
-- KEYS[2] hash: image -> the next image of its request, or '' for the last
-- KEYS[3] hash: 'first:<request>' and 'last:<request>' -> the ends of its line of images
-- KEYS[4] hash: 'images:<owner>' -> how many of its images are queued
-- ARGV[1] the owner
-- ARGV[2] the request
-- Returns how many were removed.

local owner, request = ARGV[1], ARGV[2]

local removed = 0
local image = redis.call('HGET', KEYS[3], 'first:' .. request)
while image and image ~= '' do
  local following = redis.call('HGET', KEYS[2], image)
  removed = removed + redis.call('HDEL', KEYS[2], image)
  image = following
end
redis.call('HDEL', KEYS[3], 'first:' .. request, 'last:' .. request)
if removed > 0 then
  redis.call('HINCRBY', KEYS[4], 'images:' .. owner, -removed)
end
return removed
