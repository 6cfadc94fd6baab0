import { createHash } from 'node:crypto';

/** A script that Redis runs in one go; all its keys lie in one slot of a cluster. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export function script(lua: string): Script {
  return { lua, sha: createHash('sha1').update(lua).digest('hex') };
}

/** µs since 1970 as text: Lua's numbers hold them exactly, and 16 digits sort as numbers do until the year 2286. */
export const NOW = `
local clock = redis.call('TIME')
local now = string.format('%016.0f', clock[1] * 1000000 + clock[2])
`;
