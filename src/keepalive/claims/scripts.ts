import { script } from '../../redis/script.js';
import { CLAIMS } from './prelude.js';

/**
 * ARGV: member, how, record, the claim it is about (see `TakeHow`), age of the own stream (µs), most members, newest schema of a record,
 * how long a holder that has heard the wish may take (µs).
 * Answers {result, claim, whence, former holder, record}.
 */
export const TAKE = script(`${CLAIMS}
local member, how, record, about = ARGV[FIRST], ARGV[FIRST + 1], ARGV[FIRST + 2], ARGV[FIRST + 3]
local held = redis.call('HGET', holders, member)
local score = redis.call('ZSCORE', leases, member)
local expired = not score or tonumber(score) <= tonumber(now)
local by = replica(held)
local wished = wish(member)
local rival = wished and replica(wished) ~= me
local function yours(token, whence)
  if record ~= '' then redis.call('HSET', records, member, record) end
  give(member, me, token)
  if by then hint('*', member) end
  return {'yours', token, whence, by or '', redis.call('HGET', records, member) or ''}
end
local function ask()
  if not wished or rival then redis.call('HSET', wanted, member, now .. ' ' .. me) end
  keep()
  if rival then hint(replica(wished), member) end
  hint(by, member)
  return {'asked', held}
end
-- It has heard that we want it, and has not said that it has ended its stream: the manager takes its time.
local function isYielding()
  local looked = tonumber(redis.call('ZSCORE', replicas, by) or 0)
  if not wished or rival or looked < tonumber(now) - there then return false end
  local asked = tonumber(since(wished))
  return looked > asked and tonumber(now) - asked < tonumber(ARGV[FIRST + 7])
end
if by == me then
  -- What others wish stays: it is for us to hear.
  if record ~= '' then redis.call('HSET', records, member, record) end
  redis.call('ZADD', leases, plus(lease), member)
  if wished and not rival then redis.call('HDEL', wanted, member) end
  keep()
  return {'yours', since(held), 'mine', me, redis.call('HGET', records, member) or ''}
end
if how == 'adopt' then
  local stored = redis.call('HGET', records, member)
  local schema = stored and tonumber(string.match(stored, '^dfmgw(%d+) '))
  if not held or rival or not schema or schema > tonumber(ARGV[FIRST + 6]) then return {'no', held or ''} end
  if expired then return yours(now, 'expired') end
  if held == about and not isYielding() then return yours(now, 'forced') end
  if redis.call('SISMEMBER', offered, member) == 1 then return ask() end
  return {'no', held}
end
if how == 'recover' then
  if held and not expired and by ~= about then return {'no', held} end
  return yours(now, 'recovered')
end
local token = now
if how == 'settle' then token = about ~= '' and about or plus(-tonumber(ARGV[FIRST + 4])) end
if not held or expired then
  if not held and redis.call('ZCARD', leases) >= tonumber(ARGV[FIRST + 5]) then return {'full', ''} end
  return yours(token, held and 'expired' or 'nobody')
end
if how == 'settle' and since(held) >= token then return {'lost', held} end
if how == 'again' or how == 'force' then
  if rival or (how == 'again' and held ~= about) then return {'superseded', held} end
  if how == 'force' and held == about and not isYielding() then return yours(now, 'forced') end
end
return ask()
`);

/** ARGV: pairs of member and claim. Renews what is held so, and answers the numbers of the pairs that are not. */
export const RENEW = script(`${CLAIMS}
local lost = {}
local until_ = plus(lease)
for i = FIRST, #ARGV, 2 do
  local member = ARGV[i]
  if redis.call('HGET', holders, member) == ARGV[i + 1] .. ' ' .. me and redis.call('HEXISTS', records, member) == 1 then
    redis.call('ZADD', leases, until_, member)
  else lost[#lost + 1] = tostring((i - FIRST) / 2) end
end
keep()
return lost
`);

/**
 * ARGV: member, claim. The stream of this claim has ended, because somebody wants the node or has it already. Answers {result, claim}:
 * `given` to who wants it, `free` if nobody does any more, or `late`: another has it, and is told at its next look.
 */
export const YIELD = script(`${CLAIMS}
local member = ARGV[FIRST]
local held = redis.call('HGET', holders, member)
if held == ARGV[FIRST + 1] .. ' ' .. me then
  local wished = wish(member)
  if wished and replica(wished) ~= me then
    give(member, replica(wished), now)
    hint(replica(wished), member)
    return {'given', now .. ' ' .. replica(wished)}
  end
  forget(member)
  hint('*', member)
  return {'free', ''}
end
if not held or replica(held) == me then return {'free', ''} end
redis.call('HSET', late, member, now)
keep()
hint(replica(held), member)
return {'late', held}
`);

/** ARGV: members. Nobody holds those that this replica did, and it wants none of them any more. */
export const RELEASE = script(`${CLAIMS}
local freed = 0
for i = FIRST, #ARGV do
  local member = ARGV[i]
  local wished = redis.call('HGET', wanted, member)
  if replica(wished) == me then redis.call('HDEL', wanted, member) end
  if replica(redis.call('HGET', holders, member)) == me then
    forget(member)
    freed = freed + 1
    hint('*', member)
  end
end
return tostring(freed)
`);

/**
 * ARGV: pairs of member and how long ago it ended at this replica (µs), which Redis may have forgotten. What was claimed before, by whomever, is
 * forgotten with it; a claim from after it is of another life. A holder that lives renews what was taken from it by mistake.
 */
export const ENDED = script(`${CLAIMS}
for i = FIRST, #ARGV, 2 do
  local from = since(redis.call('HGET', holders, ARGV[i]))
  if from and tonumber(from) <= tonumber(now) - tonumber(ARGV[i + 1]) then
    forget(ARGV[i])
    hint('*', ARGV[i])
  end
end
return 'done'
`);

/** ARGV: members. Answers how many other replicas may want them. */
export const OFFER = script(`${CLAIMS}
redis.call('ZREM', takers, me)
for i = FIRST, #ARGV do
  if replica(redis.call('HGET', holders, ARGV[i])) == me then redis.call('SADD', offered, ARGV[i]) end
end
keep()
hint('*')
return tostring(redis.call('ZCOUNT', takers, plus(-there), '+inf'))
`);

/**
 * What concerns this replica now. ARGV: what it may adopt (`all`, `offered`; `none`: it is leaving), most candidates, when an expired
 * claim is rubbish (µs), the longest that a lease may still hold (µs), `away` if it does not know yet that Redis is there, then members it
 * watches. Answers {members of its own that others want, those that need reasserting, holder and wisher of each it watches, members it may
 * adopt, other replicas that take nodes over, whether it has looked before: a Redis that has lost everything does not know of it, the generation, its age (µs)}.
 * For the first lease of a generation none of the dead are told: they may have been taken over, or have ended, since what it knows of.
 */
export const LOOK = script(`${CLAIMS}
local adopts, most = ARGV[FIRST], tonumber(ARGV[FIRST + 1])
local wishes, reasserts, watched, candidates = {}, {}, {}, {}
local before = redis.call('ZSCORE', replicas, me)
local token, age = generation(born, ARGV[4])
redis.call('PEXPIRE', born, ARGV[4])
-- Who does not hear this answer asks again, and is to be told the same.
if before or ARGV[FIRST + 4] == '' then redis.call('ZADD', replicas, now, me) end
if adopts == 'none' then redis.call('ZREM', takers, me) else redis.call('ZADD', takers, now, me) end
-- Who was away for long is to find out that he is still known: others have had his nodes meanwhile.
redis.call('ZREMRANGEBYSCORE', replicas, '-inf', plus(-tonumber(ARGV[4]) * 1000))
redis.call('ZREMRANGEBYSCORE', takers, '-inf', plus(-tonumber(ARGV[FIRST + 2])))
for _, key in ipairs({replicas, takers}) do redis.call('PEXPIRE', key, ARGV[4]) end
local all = redis.call('HGETALL', wanted)
for i = 1, #all, 2 do
  local held = redis.call('HGET', holders, all[i])
  if tonumber(since(all[i + 1]) or 0) <= tonumber(now) - fresh then redis.call('HDEL', wanted, all[i])
  elseif replica(held) == me and replica(all[i + 1]) ~= me then wishes[#wishes + 1] = all[i] end
end
for _, member in ipairs(redis.call('HKEYS', late)) do
  local by = replica(redis.call('HGET', holders, member))
  if by == me or not by then redis.call('HDEL', late, member) end
  if by == me then reasserts[#reasserts + 1] = member end
end
for i = FIRST + 5, #ARGV do
  watched[#watched + 1] = redis.call('HGET', holders, ARGV[i]) or ''
  watched[#watched + 1] = redis.call('HGET', wanted, ARGV[i]) or ''
end
local function candidate(member)
  local by = replica(redis.call('HGET', holders, member))
  if not by then forget(member)
  elseif age < lease and tonumber(redis.call('ZSCORE', leases, member) or 0) <= tonumber(now) then return
  elseif by ~= me and not wish(member) then candidates[#candidates + 1] = member end
end
local rubbish = plus(-tonumber(ARGV[FIRST + 2]))
for _, member in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', rubbish, 'LIMIT', 0, most)) do forget(member) end
if adopts == 'all' then
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', leases, '-inf', now, 'LIMIT', 0, most)) do candidate(member) end
end
if adopts ~= 'none' then
  for _, member in ipairs(redis.call('SRANDMEMBER', offered, most)) do candidate(member) end
end
local tooLong = redis.call('ZRANGEBYSCORE', leases, plus(tonumber(ARGV[FIRST + 3])), '+inf', 'LIMIT', 0, most)
for _, member in ipairs(tooLong) do redis.call('ZADD', leases, plus(lease), member) end
-- Redis itself has dropped the leases, for want of memory.
if redis.call('HLEN', holders) > redis.call('ZCARD', leases) then
  local some = redis.call('HSCAN', holders, '0', 'COUNT', most)[2]
  for i = 1, math.min(#some, 2 * most), 2 do redis.call('ZADD', leases, 'NX', now, some[i]) end
end
local others = redis.call('ZCOUNT', takers, plus(-there), '+inf')
if adopts ~= 'none' then others = others - 1 end
return {wishes, reasserts, watched, candidates, tostring(others), before and '1' or '0', token, string.format('%.0f', age)}
`);
