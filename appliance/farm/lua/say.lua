-- A web node wants to hear a clause. All who want the same one share it, while it is spoken and for as long as it is kept.
-- KEYS own, pieces, work, said   ARGV name, group, ttl in s, kept for s, then the fields that a worker needs
-- Returns "said", "under way" or "asked".
local now = redis.call('TIME')
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HINCRBY', KEYS[1], 'listeners', 1)
  return 'under way'
end
if redis.call('EXISTS', KEYS[2]) == 1 and redis.call('ZSCORE', KEYS[4], ARGV[1]) then
  redis.call('ZADD', KEYS[4], now[1], ARGV[1])
  redis.call('EXPIRE', KEYS[2], ARGV[4])
  return 'said'
end
redis.call('UNLINK', KEYS[2])
local fields = {}
for at = 5, #ARGV do
  fields[at - 4] = ARGV[at]
end
local entry = redis.call('XADD', KEYS[3], '*', 'turn', ARGV[1], 'attempt', '1', unpack(fields))
redis.call('HSET', KEYS[1], 'attempt', '1', 'entry', entry, 'owner', '', 'web', '', 'listeners', 1)
redis.call('EXPIRE', KEYS[1], ARGV[3])
return 'asked'
