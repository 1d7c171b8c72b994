-- A worker takes an utterance that was delivered to it, unless somebody else has claimed it meanwhile.
-- KEYS own, work, counts   ARGV entry, group, worker, owner's mark, attempt, ttl in s
-- Returns {web node, how many times it was taken}, or {} if it is not this worker's.
local pending = redis.call('XPENDING', KEYS[2], ARGV[2], ARGV[1], ARGV[1], 1)
if #pending == 0 or pending[1][2] ~= ARGV[3] then
  return {}
end
local attempt, web = unpack(redis.call('HMGET', KEYS[1], 'attempt', 'web'))
if attempt ~= ARGV[5] then
  redis.call('XACK', KEYS[2], ARGV[2], ARGV[1])
  redis.call('XDEL', KEYS[2], ARGV[1])
  return {}
end
redis.call('HSET', KEYS[1], 'owner', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[6])
local times = redis.call('HINCRBY', KEYS[1], 'times', 1)
if times > 1 then
  redis.call('HINCRBY', KEYS[3], 'takeovers', 1)
end
return {web, times}
