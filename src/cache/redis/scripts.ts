import { NOW, script } from '../../redis/script.js';

/**
 * What is there for a question, and what was written since. KEYS: voids, deletions, then an answer per schema;
 * ARGV: the largest answer in bytes, then tags. Writes nothing, so that a read-only replica and a full Redis answer it, too.
 */
export const LOOK_UP = script(`${NOW}
local answers = {}
for i = 3, #KEYS do
  local size = redis.pcall('STRLEN', KEYS[i])
  if type(size) ~= 'number' then answers[i - 2] = {'other-type'}
  elseif size == 0 then answers[i - 2] = {'none'}
  elseif size > tonumber(ARGV[1]) then answers[i - 2] = {'too-large'}
  else answers[i - 2] = {'value', redis.call('GET', KEYS[i])} end
end
local written, deleted = {}, {}
for i = 2, #ARGV do
  written[i - 1] = redis.call('ZSCORE', KEYS[1], ARGV[i]) or ''
  deleted[i - 1] = redis.call('ZSCORE', KEYS[2], ARGV[i]) or ''
end
return {now, answers, written, deleted}
`);

/**
 * Stores an answer unless what is there may have been asked for later, or is of a newer gateway. KEYS: the answer;
 * ARGV: value, earliest asked-at (µs), lifetime (ms), schema, channel, news, and the stamps of what
 * lay there before the asking, which was asked for earlier for certain. What claims to be asked for in the future
 * is of a clock that has been set back since, and gives way.
 */
export const STORE = script(`${NOW}
local head = redis.pcall('GETRANGE', KEYS[1], 0, 63)
if type(head) == 'string' then
  local schema, earliest, latest = string.match(head, '^dfmgw(%d+) (%d+) (%d+) ')
  if schema and tonumber(schema) > tonumber(ARGV[4]) then return 'other-schema' end
  local seen = latest and earliest .. ' ' .. latest == ARGV[7]
  if latest and not seen and latest >= ARGV[2] and earliest <= now then return 'asked-earlier' end
end
if type(head) ~= 'string' then redis.call('UNLINK', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
redis.pcall('PUBLISH', ARGV[5], ARGV[6])
return 'stored'
`);

/**
 * Removes an answer that failed its check, if it is still that one. KEYS: the answer; ARGV: its SHA-1, or empty for one that is
 * too large, or no text, and the largest answer in bytes. What is larger is not read: others wait while a script runs.
 */
export const DROP = script(`
local size = redis.pcall('STRLEN', KEYS[1])
local readable = type(size) == 'number' and size <= tonumber(ARGV[2])
if readable and (ARGV[1] == '' or redis.sha1hex(redis.call('GET', KEYS[1]) or '') ~= ARGV[1]) then return 0 end
if not readable and ARGV[1] ~= '' then return 0 end
return redis.call('UNLINK', KEYS[1])
`);

/**
 * Notes a write, at Redis's time. KEYS: voids, deletions; ARGV: lifetime (ms), most marks, channel, news, number of
 * updates, then tags of updates and of deletions. Marks over the bound are folded into '*', which stands for everything.
 */
export const MARK = script(`${NOW}
local updates = tonumber(ARGV[5])
for i = 6, #ARGV do
  redis.call('ZADD', KEYS[1], now, ARGV[i])
  if i > 5 + updates then redis.call('ZADD', KEYS[2], now, ARGV[i]) end
end
for k = 1, 2 do
  local over = redis.call('ZCARD', KEYS[k]) - tonumber(ARGV[2])
  if over > 0 then
    local last = redis.call('ZRANGE', KEYS[k], over - 1, over - 1, 'WITHSCORES')[2]
    redis.call('ZREMRANGEBYRANK', KEYS[k], 0, over - 1)
    local floor = redis.call('ZSCORE', KEYS[1], '*')
    if not floor or tonumber(floor) < tonumber(last) then redis.call('ZADD', KEYS[1], last, '*') end
  end
  redis.call('PEXPIRE', KEYS[k], ARGV[1])
end
redis.pcall('PUBLISH', ARGV[3], ARGV[4])
return now
`);

/**
 * Writes noted after a moment, newest first. KEYS: voids, deletions; ARGV: since (µs, or -inf), at most how many, the longest tag.
 * No gateway notes a longer one: it stands for everything.
 */
export const PULSE = script(`${NOW}
local function since(key)
  local marks = redis.call('ZREVRANGEBYSCORE', key, '+inf', '(' .. ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
  for i = 1, #marks, 2 do
    if #marks[i] > tonumber(ARGV[3]) then marks[i] = '*' end
  end
  return marks
end
return {now, since(KEYS[1]), since(KEYS[2])}
`);

/** KEYS: what is to be gone, whatever it is. */
export const FORGET = script(`return redis.call('UNLINK', unpack(KEYS))`);
