-- Somebody is here; those who were silent for too long are gone, once nothing is left that was delivered to them.
-- KEYS hash of members, streams of work …   ARGV who, what they say, alive for so many ms, group
-- Returns all who are alive: who, what they say, …
local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], string.format('%d|%s', now + ARGV[3], ARGV[2]))
local alive = {}
local members = redis.call('HGETALL', KEYS[1])
for at = 1, #members, 2 do
  local who = members[at]
  local till, says = string.match(members[at + 1], '^(%d+)|(.*)$')
  if till and tonumber(till) >= now then
    alive[#alive + 1] = who
    alive[#alive + 1] = says
  else
    local busy = false
    for number = 2, #KEYS do
      if redis.call('EXISTS', KEYS[number]) == 1 then
        local pending = redis.pcall('XPENDING', KEYS[number], ARGV[4], '-', '+', 1, who)
        if pending.err or #pending == 0 then
          redis.pcall('XGROUP', 'DELCONSUMER', KEYS[number], ARGV[4], who)
        else
          busy = true
        end
      end
    end
    if not busy then
      redis.call('HDEL', KEYS[1], who)
    end
  end
end
return alive
