-- How far behind a stream of work is.   KEYS work   ARGV group
-- Returns {entries nobody has taken, time of the oldest unfinished one in ms or 0}.
local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)
if #first == 0 then
  return {0, '0'}
end
local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1])
local taken = 0
if not pending.err then
  taken = pending[1]
end
return {redis.call('XLEN', KEYS[1]) - taken, (string.match(first[1][1], '^(%d+)'))}
