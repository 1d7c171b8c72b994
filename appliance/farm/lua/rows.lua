-- All rows of tables, and the version they are of.   KEYS version, tables …
local found = {redis.call('GET', KEYS[1]) or '0'}
for number = 2, #KEYS do
  found[number] = redis.call('HGETALL', KEYS[number])
end
return found
