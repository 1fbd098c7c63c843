-- Pops the images with the lowest turns: one of each request before the second of any.
--
-- KEYS[1] the gate, which every script declares so that no two scripts interleave
-- KEYS[2] sorted set: image id -> turn
-- KEYS[3] sorted set: request id -> its next turn
-- ARGV[1] the maximum number of ids
-- Returns the image ids, ordered by turn.

local popped = redis.call('ZPOPMIN', KEYS[2], ARGV[1])
local ids = {}
for i = 1, #popped, 2 do
  ids[#ids + 1] = popped[i]
end

-- Once the queue is empty, turns restart at 0.
if redis.call('EXISTS', KEYS[2]) == 0 then
  redis.call('DEL', KEYS[3])
end
return ids
