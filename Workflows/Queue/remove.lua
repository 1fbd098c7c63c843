-- Removes images of one request from the queue, and deletes the request's next turn.
--
-- KEYS[1] the gate, which every script declares so that no two scripts interleave
-- KEYS[2] sorted set: image id -> turn
-- KEYS[3] sorted set: request id -> its next turn
-- ARGV[1] the request id
-- ARGV[2...] image ids
-- Returns how many were removed.

local removed = 0
for i = 2, #ARGV do
  removed = removed + redis.call('ZREM', KEYS[2], ARGV[i])
end
redis.call('ZREM', KEYS[3], ARGV[1])
return removed
