-- A web node does not want to hear the rest of a clause; if nobody else does, it is not spoken any further.
-- KEYS own, pieces, work   ARGV name, group, channel
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HINCRBY', KEYS[1], 'listeners', -1) > 0 then
  return 0
end
local entry = redis.call('HGET', KEYS[1], 'entry')
redis.call('XACK', KEYS[3], ARGV[2], entry)
redis.call('XDEL', KEYS[3], entry)
redis.call('UNLINK', KEYS[1], KEYS[2])
redis.call('PUBLISH', ARGV[3], ARGV[1])
return 1
