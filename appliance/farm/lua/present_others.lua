-- Who of other members is alive: who, what they say, …   KEYS hash of members
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local alive = {}
local members = redis.call('HGETALL', KEYS[1])
for at = 1, #members, 2 do
  local till, says = string.match(members[at + 1], '^(%d+)|(.*)$')
  if till and tonumber(till) >= now then
    alive[#alive + 1] = members[at]
    alive[#alive + 1] = says
  end
end
return alive
