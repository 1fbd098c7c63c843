-- Queues images of one request. Owners take turns, and within an owner its requests: a request's images get consecutive turns of
-- its owner, starting at the turn that is currently served. An image that is already queued keeps its turn: pushing it again has
-- no effect.
--
-- KEYS[1] the gate, which every script declares so that no two scripts interleave
-- KEYS[2] sorted set of equal scores: owner|turn|image, so that each owner's next image comes first in its range
-- KEYS[3] sorted set: owner -> its turn among the owners
-- KEYS[4] sorted set: request -> its next turn within its owner
-- KEYS[5] hash: image -> its member of KEYS[2]; and 'turn' -> the turn of the owner that was served last
-- ARGV[1] the owner
-- ARGV[2] the request
-- ARGV[3] the channel that waiting claimers subscribe to
-- ARGV[4...] image ids, in the order in which to serve them
-- Returns how many were newly queued.

local owner, request, channel = ARGV[1], ARGV[2], ARGV[3]

local head = redis.call('ZRANGEBYLEX', KEYS[2], '[' .. owner .. '|', '(' .. owner .. '}', 'LIMIT', 0, 1)
local now = head[1] and tonumber(string.sub(head[1], #owner + 2, #owner + 17)) or 0
local turn = math.max(now, tonumber(redis.call('ZSCORE', KEYS[4], request) or 0))

local added = 0
for i = 4, #ARGV do
  local member = string.format('%s|%016.0f|%s', owner, turn, ARGV[i])
  if redis.call('HSETNX', KEYS[5], ARGV[i], member) == 1 then
    redis.call('ZADD', KEYS[2], 0, member)
    turn = turn + 1
    added = added + 1
  end
end

if added > 0 then
  redis.call('ZADD', KEYS[4], turn, request)
  -- Requests end without notice. Forgetting one that goes on only lets its next images join the turn that is currently served.
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -10001)
  -- A new owner joins now: turns cannot be saved up.
  redis.call('ZADD', KEYS[3], 'NX', tonumber(redis.call('HGET', KEYS[5], 'turn') or 0), owner)
  redis.call('PUBLISH', channel, added)
end
return added
