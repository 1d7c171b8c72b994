-- The entries of a stream of work that nobody has taken yet, the next one first, a thousand at most.
-- KEYS work   ARGV group
local after = '-'
local groups = redis.pcall('XINFO', 'GROUPS', KEYS[1])
if not groups.err then
  for _, group in ipairs(groups) do
    local name, last
    for at = 1, #group, 2 do
      if group[at] == 'name' then name = group[at + 1] end
      if group[at] == 'last-delivered-id' then last = group[at + 1] end
    end
    if name == ARGV[1] then after = '(' .. last end
  end
end
local found = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], after, '+', 'COUNT', 1000)) do
  found[#found + 1] = entry[1]
end
return found
