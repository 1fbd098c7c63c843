-- Queues images of one request. Each image gets a turn; a request's images take one turn after the other, beginning at the
-- turn that is served now, so that popping the lowest turns serves all requests in rotation. An image that is already
-- queued keeps its turn: pushing twice changes nothing.
--
-- KEYS[1] the gate, which every script declares, so that no two of them interleave
-- KEYS[2] sorted set: image id -> turn
-- KEYS[3] sorted set: request id -> its next turn
-- ARGV[1] the request id
-- ARGV[2] the channel on which waiting claimers listen
-- ARGV[3...] image ids, in the order in which they shall be served
-- Returns how many were not queued before.

local request, channel = ARGV[1], ARGV[2]

local head = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local now = head[2] and tonumber(head[2]) or 0
local turn = math.max(now, tonumber(redis.call('ZSCORE', KEYS[3], request) or 0))

local added = 0
for i = 3, #ARGV do
  if redis.call('ZADD', KEYS[2], 'NX', turn, ARGV[i]) == 1 then
    turn = turn + 1
    added = added + 1
  end
end

if added > 0 then
  redis.call('ZADD', KEYS[3], turn, request)
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
  redis.call('PUBLISH', channel, added)
end
return added
