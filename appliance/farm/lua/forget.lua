-- An utterance is no longer wanted. Nobody else's attempt at it is touched.
-- KEYS own, work, sound   ARGV attempt, group
local entry, attempt = unpack(redis.call('HMGET', KEYS[1], 'entry', 'attempt'))
redis.call('UNLINK', KEYS[3])
if attempt == ARGV[1] then
  redis.call('XACK', KEYS[2], ARGV[2], entry)
  redis.call('XDEL', KEYS[2], entry)
  redis.call('UNLINK', KEYS[1])
end
return 0
