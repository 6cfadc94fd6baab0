import { readFile } from 'node:fs/promises';
import type { Config } from '../../config/config.js';
import { type Finding, findingsAbout } from './finding.js';

/** For channels, Redis, files, and what Node itself opens. */
const OTHER_DESCRIPTORS = 200;

/** Every connection takes a descriptor; beyond the limit they are not refused in words, but hang. */
export async function checkDescriptors({
  server,
  managers,
}: Pick<Config, 'server' | 'managers'>): Promise<Finding | undefined> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '');
  const [, soft] = /^Max open files\s+(\d+|unlimited)/m.exec(limits) ?? [];
  if (soft === undefined) return undefined;
  const needed =
    server.maxConnections + managers.addrs.length * managers.channelsPerAddr * 2 + OTHER_DESCRIPTORS;
  const findings = findingsAbout('');
  const found = `${soft} allowed, ${needed} needed for server.maxConnections ${server.maxConnections}`;
  return soft === 'unlimited' || Number(soft) >= needed
    ? findings.ok('file descriptors', found)
    : findings.warning(
        'file descriptors',
        found,
        `ulimit -n ${needed}, LimitNOFILE= of systemd, or a smaller server.maxConnections`,
      );
}
