-- A worker says that it is at work on these. A zombie's bare XCLAIM would steal an entry back, so the mark is compared.
-- KEYS own, …   ARGV group, worker, ttl in s, then for each: owner's mark, stream of work, entry
-- Returns the numbers, from 1, of those that are somebody else's by now.
local lost = {}
for number, own in ipairs(KEYS) do
  local mark, work, entry = ARGV[3 * number + 1], ARGV[3 * number + 2], ARGV[3 * number + 3]
  if redis.call('HGET', own, 'owner') == mark then
    redis.call('XCLAIM', work, ARGV[1], ARGV[2], 0, entry, 'JUSTID')
    redis.call('EXPIRE', own, ARGV[3])
  else
    lost[#lost + 1] = number
  end
end
return lost
