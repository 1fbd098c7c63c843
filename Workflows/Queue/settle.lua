-- Completes a rebuild: marks the queue as complete, unless it was emptied again while it was being refilled.
--
-- KEYS[1] the gate, which every script declares so that no two scripts interleave
-- KEYS[2] the epoch
-- ARGV[1] the mark set when this rebuild started
-- ARGV[2] the new epoch
-- Returns 1 if the mark was still there, else 0.

if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[2], ARGV[2])
return 1
