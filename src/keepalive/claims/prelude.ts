import { GENERATION } from '../../redis/generation.js';
import { NOW } from '../../redis/script.js';

/**
 * KEYS of every script, in this order; a member is a node's key:
 *   leases    sorted set: until when the claim holds, µs
 *   holders   hash: `<since, µs> <replica>`; the moment, of Redis's clock, makes each claim another one
 *   records   hash: what it takes to open the stream (stored-record.ts)
 *   wanted    hash: `<µs> <replica>` that was the last to ask the holder for it
 *   late      hash: µs when somebody who did not hold it any more ended a stream of it
 *   offered   set: its holder is leaving
 *   replicas  sorted set: when each looked for the last time, µs: it knows of every wish from before
 *   takers    sorted set: the same of those that take nodes over; who is leaving is not in it
 *   generation  see redis/generation.ts
 * ARGV of every script begins: this replica, the lease (µs), how long a wish counts (µs), how long anything is kept (ms), the channel,
 * how long ago a replica may have looked and still be there (µs).
 * On the channel it says `<from> <to, or *> <member, or empty>`: something about this node may concern that replica.
 */
export const CLAIMS = `${NOW}${GENERATION}
local leases, holders, records, wanted, late, offered, replicas, takers, born = unpack(KEYS)
local me, lease, fresh, channel = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[5]
local there = tonumber(ARGV[6])
local FIRST = 7
local function plus(us) return string.format('%016.0f', tonumber(now) + us) end
local function replica(value) return value and string.match(value, '^%d+ (.*)$') end
local function since(value) return value and string.match(value, '^(%d+) ') end
local function wish(member)
  local value = redis.call('HGET', wanted, member)
  if value and tonumber(since(value)) > tonumber(now) - fresh then return value end
end
local function hint(to, member) redis.pcall('PUBLISH', channel, me .. ' ' .. to .. ' ' .. (member or '')) end
local function keep()
  for i = 1, #KEYS do redis.call('PEXPIRE', KEYS[i], ARGV[4]) end
end
local function settled(member)
  redis.call('HDEL', wanted, member)
  redis.call('HDEL', late, member)
  redis.call('SREM', offered, member)
end
local function forget(member)
  redis.call('ZREM', leases, member)
  redis.call('HDEL', holders, member)
  redis.call('HDEL', records, member)
  settled(member)
end
local function give(member, to, token)
  redis.call('HSET', holders, member, token .. ' ' .. to)
  redis.call('ZADD', leases, plus(lease), member)
  settled(member)
  keep()
end
`;
