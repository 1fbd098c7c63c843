-- Queues images of one request. A request's images get consecutive turns, starting at the turn that is currently served, so
-- that popping the lowest turns serves all requests round-robin. An image that is already queued keeps its turn: pushing it
-- again has no effect.
--
-- KEYS[1] the gate, which every script declares so that no two scripts interleave
-- KEYS[2] sorted set: image id -> turn
-- KEYS[3] sorted set: request id -> its next turn
-- ARGV[1] the request id
-- ARGV[2] the channel that waiting claimers subscribe to
-- ARGV[3...] image ids, in the order in which to serve them
-- Returns how many were newly queued.

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
