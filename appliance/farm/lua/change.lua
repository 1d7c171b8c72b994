-- Rows are written, if nobody changed anything since `seen`.
-- KEYS version   ARGV channel, seen or "", then for each row: table, key, values or "" for none
-- Returns the new version, or 0 if somebody was quicker.
local version = tonumber(redis.call('GET', KEYS[1]) or '0')
if ARGV[2] ~= '' and tonumber(ARGV[2]) ~= version then
  return 0
end
version = redis.call('INCR', KEYS[1])
for at = 3, #ARGV, 3 do
  if ARGV[at + 2] == '' then
    redis.call('HDEL', ARGV[at], ARGV[at + 1])
  else
    redis.call('HSET', ARGV[at], ARGV[at + 1], version .. ' ' .. ARGV[at + 2])
  end
end
redis.call('PUBLISH', ARGV[1], version)
return version
