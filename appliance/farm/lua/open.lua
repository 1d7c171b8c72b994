-- A web node begins, or begins anew, an utterance: whoever worked on an earlier attempt is fenced from here on.
-- KEYS own, fin, work   ARGV turn, web node, sound prefix, ttl in s, group
-- Returns {"done", final} if it was heard already, else {"open", attempt, entry}.
local final = redis.call('GET', KEYS[2])
if final then
  return {'done', final}
end
local entry, attempt = unpack(redis.call('HMGET', KEYS[1], 'entry', 'attempt'))
if entry then
  redis.call('XACK', KEYS[3], ARGV[5], entry)
  redis.call('XDEL', KEYS[3], entry)
  redis.call('UNLINK', ARGV[3] .. attempt)
end
attempt = redis.call('HINCRBY', KEYS[1], 'attempt', 1)
entry = redis.call('XADD', KEYS[3], '*', 'turn', ARGV[1], 'attempt', attempt)
redis.call('HSET', KEYS[1], 'entry', entry, 'web', ARGV[2], 'owner', '')
redis.call('EXPIRE', KEYS[1], ARGV[4])
return {'open', attempt, entry}
