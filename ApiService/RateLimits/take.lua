-- Takes one token from a bucket that refills steadily. The bucket is stored as the time at which it will be full again, and expires
-- then: a key that is not used takes no memory.
--
-- Only one key is touched, so it is the only one declared: a common gate would make every call to the API wait for the image queue.
--
-- KEYS[1] string: when the bucket is full again, in microseconds since 1970 by the server's clock, so that all processes agree
-- ARGV[1] microseconds in which one token is refilled
-- ARGV[2] tokens in a full bucket
-- Returns 1 if a token was taken, else 0; and the microseconds until the bucket is full.

local interval = tonumber(ARGV[1])
local capacity = interval * tonumber(ARGV[2])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

-- Never more than a whole bucket, even if the clock was set back or the limits have changed.
local missing = math.min(math.max((tonumber(redis.call('GET', KEYS[1])) or 0) - now, 0), capacity)
if missing + interval > capacity then
  return { 0, missing }
end

missing = missing + interval
redis.call('SET', KEYS[1], string.format('%.0f', now + missing), 'PX', string.format('%.0f', math.ceil(missing / 1000)))
return { 1, missing }
