/**
 * A Redis that was started again from a dump, a follower that is the master now, or one that was emptied may have forgotten what it was told: it is of another
 * generation. The token `<replication id> <since when, µs>` lies beside what it is about and is lost, or outdated, with it; the id is another one after each
 * start and each promotion, the moment after each loss. Whoever asks first notices, however it came about: no connection need have ended, and of a cluster
 * it is about the one shard that keeps the fleet. Needs `now`. A Redis that does not tell its id shows only that it was emptied.
 */
export const GENERATION = `
local function generation(key, kept_ms)
  local told = redis.pcall('INFO', 'replication')
  local id = type(told) == 'string' and string.match(told, 'master_replid:(%w+)') or '-'
  local token = redis.call('GET', key)
  local by, since = string.match(token or '', '^(%S+) (%d+)$')
  if by ~= id or tonumber(since) > tonumber(now) then
    since = string.format('%016.0f', now)
    token = id .. ' ' .. since
    redis.call('SET', key, token, 'PX', kept_ms)
  end
  return token, tonumber(now) - tonumber(since)
end
`;
