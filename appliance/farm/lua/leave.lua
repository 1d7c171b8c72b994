-- A worker goes: its name goes from the group, unless something is still pending for it.   KEYS work   ARGV group, worker
if redis.call('EXISTS', KEYS[1]) == 1 then
  local pending = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
  if not pending.err and #pending == 0 then
    redis.pcall('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
  end
end
return 0
