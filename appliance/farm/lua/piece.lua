-- A worker hands over a piece of a clause, if the clause is still its own. With the last one the clause is kept for
-- whoever wants to hear it again, and the longest unwanted ones go.
-- KEYS own, pieces, work, said, sizes, counts
-- ARGV owner's mark, number, pcm, 1 if it is the last, entry, group, name, kept for s, most bytes, prefix of pieces
-- Returns 1, or -1 if it is not this worker's any more.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then
  redis.call('HINCRBY', KEYS[6], 'fenced', 1)
  return -1
end
if redis.call('XLEN', KEYS[2]) < tonumber(ARGV[2]) then
  if ARGV[4] == '1' then
    redis.call('XADD', KEYS[2], ARGV[2] .. '-0', 'pcm', ARGV[3], 'end', 1)
  else
    redis.call('XADD', KEYS[2], ARGV[2] .. '-0', 'pcm', ARGV[3])
  end
end
redis.call('EXPIRE', KEYS[2], ARGV[8])
if ARGV[4] ~= '1' then
  return 1
end
local size = 0
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+')) do
  size = size + #entry[2][2]
end
redis.call('XACK', KEYS[3], ARGV[6], ARGV[5])
redis.call('XDEL', KEYS[3], ARGV[5])
redis.call('UNLINK', KEYS[1])
redis.call('ZADD', KEYS[4], redis.call('TIME')[1], ARGV[7])
local before = tonumber(redis.call('HGET', KEYS[5], ARGV[7]) or '0')
redis.call('HSET', KEYS[5], ARGV[7], size)
local all = redis.call('HINCRBY', KEYS[5], '', size - before)
while all > tonumber(ARGV[9]) do
  local oldest = redis.call('ZPOPMIN', KEYS[4])
  if #oldest == 0 then
    break
  end
  all = redis.call('HINCRBY', KEYS[5], '', -tonumber(redis.call('HGET', KEYS[5], oldest[1]) or '0'))
  redis.call('HDEL', KEYS[5], oldest[1])
  redis.call('UNLINK', ARGV[10] .. oldest[1] .. ':1')
end
redis.call('EXPIRE', KEYS[4], ARGV[8])
redis.call('EXPIRE', KEYS[5], ARGV[8])
return 1
