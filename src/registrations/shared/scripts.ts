import { GENERATION } from '../../redis/generation.js';
import { NOW, script } from '../../redis/script.js';

/**
 * What replicas know of registrations, under one hash tag. Everything of a node carries a stamp, µs on Redis's clock: when the manager
 * was asked, the acknowledgement given, the deletion received. What is older than what is known of it is without effect, so that it does not
 * matter in which order, or how often, something is told. A mark from the future is of a clock that has been set back since: it covers only what is, too.
 * That an acknowledgement was settled is also known by its id, which no clock decides.
 * KEYS: known, pending (hashes: node → sealed record), known-at, pending-at, settled-at, deleted-at, settled (sorted sets: node, deletion or id → stamp),
 * generation (see redis/generation.ts).
 * ARGV says when something was as a stamp ('' if not known), an age (µs), and what it was here at the latest ('' if not known).
 */
const BOOK = `${NOW}${GENERATION}
local known, pending, known_at, pending_at, settled_at, deleted_at, settled, born = unpack(KEYS, 1, 8)
now = tonumber(now)
local function at(key, member)
  return tonumber(redis.call('ZSCORE', key, member) or '0')
end
local function covers(mark, stamp)
  return mark >= stamp and (mark <= now or stamp > now)
end
local function raise(key, member, stamp)
  if not covers(at(key, member), stamp) then redis.call('ZADD', key, string.format('%.0f', stamp), member) end
end
local function keep(kept_ms)
  for i = 1, 8 do redis.call('PEXPIRE', KEYS[i], kept_ms) end
end
local function bound(key, most, kept_ms)
  redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('(%.0f', now - kept_ms * 1000))
  redis.call('ZREMRANGEBYRANK', key, 0, -1 - most)
end
-- By its age it seems the later the longer it is on its way here, and in front of a Redis that is frozen that is long.
local function stamp_of(stamp, age, latest)
  return tonumber(stamp) or math.min(now - tonumber(age), tonumber(latest) or now)
end
local function id_of(value)
  return value and string.match(value, '^dfreg%d+ (%S+) ')
end
local function settle(id)
  if id and id ~= '' then redis.call('ZADD', settled, string.format('%.0f', now), id) end
end
local function drop(node)
  settle(id_of(redis.call('HGET', pending, node)))
  redis.call('HDEL', pending, node)
  redis.call('ZREM', pending_at, node)
end
local function whole(key, member, most_bytes)
  if redis.call('HSTRLEN', key, member) > tonumber(most_bytes) then return '' end
  return redis.call('HGET', key, member) or ''
end
-- So young that not every replica may have told it what it has forgotten.
local function outdated(kept_ms, told_within_ms)
  local _, age = generation(born, kept_ms)
  return age < tonumber(told_within_ms) * 1000
end
`;

/**
 * Puts a pending registration there, unless something newer is known of its node.
 * ARGV: node, id, value, when (3), the two deletions that would name it ('' if none), most, kept (ms).
 */
const PUT_PENDING = `
local node, id, value, names, most, kept_ms = ARGV[1], ARGV[2], ARGV[3], {ARGV[7], ARGV[8]}, tonumber(ARGV[9]), tonumber(ARGV[10])
local function put()
  local stamp = stamp_of(ARGV[4], ARGV[5], ARGV[6])
  local there = redis.call('HGET', pending, node)
  local same = id_of(there) == id
  if same then stamp = at(pending_at, node) end
  local over = at(settled, id) > 0 or covers(at(settled_at, node), stamp)
  for _, name in ipairs(names) do
    if name ~= '' and covers(at(deleted_at, name), stamp) then over = true end
  end
  if over and same then drop(node) end
  if there and not same and covers(at(pending_at, node), stamp) then over = true end
  if over then return 'superseded', stamp end
  if not there and redis.call('ZCARD', pending_at) >= most then return 'full', stamp end
  if not same then settle(id_of(there)) end
  redis.call('HSET', pending, node, value)
  redis.call('ZADD', pending_at, string.format('%.0f', stamp), node)
  keep(kept_ms)
  return 'stored', stamp
end
`;

export const PUT = script(`${BOOK}${PUT_PENDING}
local word, stamp = put()
return {word, string.format('%.0f', stamp)}
`);

/** As PUT, and with it the turn to make up for it. KEYS: also the turn; ARGV: also token, lease (ms), in which time a new generation is told of everything (ms). */
export const CLAIM = script(`${BOOK}${PUT_PENDING}
if outdated(kept_ms, ARGV[13]) then return {'outdated', '0'} end
local holder = redis.call('GET', KEYS[9])
if holder and holder ~= ARGV[11] then return {'busy', '0'} end
local word, stamp = put()
if word == 'stored' or word == 'full' then
  redis.call('SET', KEYS[9], ARGV[11], 'PX', ARGV[12])
  word = 'ours'
end
return {word, string.format('%.0f', stamp)}
`);

/**
 * The manager has had the last word on what is no newer. Answers the stamp, by which it is told from then on.
 * ARGV: node, when (3), value of what it has taken ('' for nothing), id of what is settled by it ('' for all), most, kept (ms).
 */
export const FINISH = script(`${BOOK}
local node, value, most, kept_ms = ARGV[1], ARGV[5], tonumber(ARGV[7]), tonumber(ARGV[8])
local stamp = stamp_of(ARGV[2], ARGV[3], ARGV[4])
if value ~= '' and not covers(at(known_at, node), stamp + 1) then
  redis.call('HSET', known, node, value)
  redis.call('ZADD', known_at, string.format('%.0f', stamp), node)
  local over = redis.call('ZCARD', known_at) - most
  for _, oldest in ipairs(over > 0 and redis.call('ZRANGE', known_at, 0, over - 1) or {}) do
    redis.call('HDEL', known, oldest)
    redis.call('ZREM', known_at, oldest)
  end
end
if not covers(at(pending_at, node), stamp + 1) then drop(node) end
settle(ARGV[6])
raise(settled_at, node, stamp)
bound(settled_at, most, kept_ms)
bound(settled, most, kept_ms)
keep(kept_ms)
return string.format('%.0f', stamp)
`);

/** A deletion. ARGV: its name, when (3), most, kept (ms). */
export const BURY = script(`${BOOK}
raise(deleted_at, ARGV[1], stamp_of(ARGV[2], ARGV[3], ARGV[4]))
bound(deleted_at, tonumber(ARGV[5]), tonumber(ARGV[6]))
keep(ARGV[6])
return 'done'
`);

/** What is known of a node. ARGV: node, the two deletions that would name it ('' if none), largest value (bytes), kept (ms), told within (ms). */
export const FIND = script(`${BOOK}
local deleted = 0
for i = 2, 3 do
  if ARGV[i] ~= '' then deleted = math.max(deleted, at(deleted_at, ARGV[i])) end
end
local function found(key, key_at)
  local stamp = at(key_at, ARGV[1])
  return {string.format('%.0f', stamp), covers(deleted, stamp) and '' or whole(key, ARGV[1], ARGV[4])}
end
local young = outdated(ARGV[5], ARGV[6]) and '1' or '0'
return {string.format('%.0f', deleted), found(known, known_at), found(pending, pending_at), young}
`);

/** What is pending, oldest first; nothing while it may be settled. ARGV: after this stamp, at most how many, largest value (bytes), kept (ms), told within (ms). */
export const LIST = script(`${BOOK}
if outdated(ARGV[4], ARGV[5]) then return {} end
local some = redis.call('ZRANGEBYSCORE', pending_at, '(' .. ARGV[1], '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local answer = {}
for i = 1, #some, 2 do
  answer[#answer + 1] = {some[i], string.format('%.0f', tonumber(some[i + 1])), whole(pending, some[i], ARGV[3])}
end
return answer
`);

/**
 * Of which of these nodes is known what the asker knows, or what came later? The same one told twice has stamps that are as far apart as
 * an exchange takes. ARGV: kept (ms), then of each: node, when (3). Whoever asks lives, and so does what is kept. Answers Redis's time and the generation, too.
 */
export const AUDIT = script(`${BOOK}
keep(ARGV[1])
local answer = {}
for i = 2, #ARGV, 4 do
  local there = at(known_at, ARGV[i])
  local same = there > 0 and covers(there, stamp_of(ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) - 1000000)
  answer[#answer + 1] = same and '1' or '0'
end
return {string.format('%.0f', now), answer, (generation(born, ARGV[1]))}
`);

/** Which generation it is. ARGV: kept (ms). */
export const WATCH = script(`${BOOK}
return (generation(born, ARGV[1]))
`);

/** One replica at a time writes to a node. KEYS: the turn; ARGV: token, lease (ms). Also keeps a turn that is ours. Answers Redis's time, too. */
export const TURN = script(`${NOW}
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return {'busy', now} end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return {'ours', now}
`);

export const RELEASE = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('UNLINK', KEYS[1]) end
return 'done'
`);
