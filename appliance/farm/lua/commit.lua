-- A worker's transcript counts if the utterance is still its own and has none yet; everything else of it goes.
-- KEYS own, fin, work, sound, counts   ARGV owner's mark, entry, group, turn, attempt, final, ttl in s, inbox prefix
-- Returns 1; 0 if there is a transcript already; -1 if somebody else has taken over.
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HINCRBY', KEYS[5], 'duplicates', 1)
  return 0
end
local owner, web = unpack(redis.call('HMGET', KEYS[1], 'owner', 'web'))
if owner ~= ARGV[1] then
  redis.call('HINCRBY', KEYS[5], 'fenced', 1)
  return -1
end
redis.call('SET', KEYS[2], ARGV[6], 'EX', ARGV[7])
redis.call('XADD', ARGV[8] .. web, '*', 'turn', ARGV[4], 'attempt', ARGV[5], 'final', ARGV[6])
redis.call('EXPIRE', ARGV[8] .. web, ARGV[7])
redis.call('XACK', KEYS[3], ARGV[3], ARGV[2])
redis.call('XDEL', KEYS[3], ARGV[2])
redis.call('UNLINK', KEYS[4], KEYS[1])
return 1
