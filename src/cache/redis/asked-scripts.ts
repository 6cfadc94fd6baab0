import { NOW, script } from '../../redis/script.js';

/**
 * Adds what callers ask for. KEYS: use, last, questions; ARGV: lifetime (ms), most questions, half-life of use (ms), most to tidy up,
 * then of each: field, age (ms), weight, sealed question. Use is kept as when it would have weighed 1: that orders for ever, without
 * anything being halved. What others know to be used more, or later, stays so. What was asked longest ago goes first, then the least used; what is of another type gives way.
 */
export const ADD_ASKED = script(`${NOW}
for k = 1, 3 do
  local is = redis.call('TYPE', KEYS[k]).ok
  if is ~= 'none' and is ~= (k < 3 and 'zset' or 'hash') then redis.call('UNLINK', KEYS[k]) end
end
local halfLife = tonumber(ARGV[3]) * 1000
for i = 5, #ARGV, 4 do
  local field = ARGV[i]
  local last = tonumber(now) - math.floor(tonumber(ARGV[i + 1]) * 1000)
  local use = last / halfLife + math.log(tonumber(ARGV[i + 2])) / math.log(2)
  local known = redis.call('ZSCORE', KEYS[1], field)
  if not known or tonumber(known) < use then redis.call('ZADD', KEYS[1], string.format('%.9f', use), field) end
  known = redis.call('ZSCORE', KEYS[2], field)
  if not known or tonumber(known) < last then redis.call('ZADD', KEYS[2], string.format('%.0f', last), field) end
  redis.call('HSET', KEYS[3], field, ARGV[i + 3])
end
local function forget(fields)
  for _, field in ipairs(fields) do
    redis.call('ZREM', KEYS[1], field)
    redis.call('ZREM', KEYS[2], field)
    redis.call('HDEL', KEYS[3], field)
  end
end
local ended = string.format('%.0f', tonumber(now) - tonumber(ARGV[1]) * 1000)
forget(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ended, 'LIMIT', 0, ARGV[4]))
local over = redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[2])
if over > 0 then forget(redis.call('ZRANGE', KEYS[1], 0, math.min(over, tonumber(ARGV[4])) - 1)) end
for k = 1, 3 do redis.call('PEXPIRE', KEYS[k], ARGV[1]) end
return 'added'
`);

/**
 * What callers ask for, most used first. KEYS: use, last, questions; ARGV: from which on, how many, the longest field, the longest
 * question. Of each: field, use, when it was last asked (µs), sealed question; empty where there is none that may be read.
 */
export const READ_ASKED = script(`${NOW}
local from = tonumber(ARGV[1])
local found = redis.pcall('ZREVRANGE', KEYS[1], from, from + tonumber(ARGV[2]) - 1, 'WITHSCORES')
local all = {}
for i = 1, #found, 2 do
  local field, last, value = found[i], '', ''
  if #field > tonumber(ARGV[3]) then field = ''
  else
    local size, score = redis.pcall('HSTRLEN', KEYS[3], field), redis.pcall('ZSCORE', KEYS[2], field)
    if type(score) == 'string' then last = score end
    if type(size) == 'number' and size > 0 and size <= tonumber(ARGV[4]) then value = redis.call('HGET', KEYS[3], field) end
  end
  all[(i + 1) / 2] = {field, found[i + 1], last, value}
end
return {now, all}
`);
