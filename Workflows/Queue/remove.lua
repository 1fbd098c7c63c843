-- Removes images of one request from the queue, and deletes the request's next turn. An owner without images is removed when its
-- turn comes.
--
-- KEYS[1] the gate, which every script declares so that no two scripts interleave
-- KEYS[2] sorted set of equal scores: owner|turn|image
-- KEYS[3] sorted set: request -> its next turn within its owner
-- KEYS[4] hash: image -> its member of KEYS[2]
-- ARGV[1] the request id
-- ARGV[2...] image ids
-- Returns how many were removed.

local removed = 0
for i = 2, #ARGV do
  local member = redis.call('HGET', KEYS[4], ARGV[i])
  if member then
    redis.call('HDEL', KEYS[4], ARGV[i])
    removed = removed + redis.call('ZREM', KEYS[2], member)
  end
end
redis.call('ZREM', KEYS[3], ARGV[1])
return removed
