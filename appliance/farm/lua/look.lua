-- A web node looks how much of its utterance is there after Redis was gone.
-- KEYS own, fin, work, sound   ARGV attempt, web node, ttl in s
-- Returns {"done", final}, {"open", how many pieces}, or {"lost"}: begin anew.
local final = redis.call('GET', KEYS[2])
if final then
  return {'done', final}
end
local entry, attempt, web = unpack(redis.call('HMGET', KEYS[1], 'entry', 'attempt', 'web'))
if attempt ~= ARGV[1] or web ~= ARGV[2] or #redis.call('XRANGE', KEYS[3], entry, entry) == 0 then
  return {'lost'}
end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[4], ARGV[3])
return {'open', redis.call('XLEN', KEYS[4])}
