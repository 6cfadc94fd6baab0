import { isIP } from 'node:net';
import type { Config } from '../../config/config.js';
import { type Finding, type Findings, findingsAbout } from './finding.js';

/** What is allowed, and hardly meant. What is not allowed never comes this far. */
export function checkConfiguration({ mode, server, redis, admin, keepAlive, cache }: Config): Finding[] {
  const findings = findingsAbout('');
  const made: Finding[] = [];
  if (mode !== 'answer') {
    const advice =
      'nobody is answered while the manager is away; set mode to answer when you have seen enough';
    made.push(findings.warning('configuration', `mode is ${mode}`, advice));
  }
  if (redis.addrs.length > 0 && redis.secret === '') {
    const advice =
      'set redis.secret, or whoever writes to this Redis can put answers into the mouth of the manager';
    made.push(findings.warning('configuration', 'redis.secret is not set', advice));
  }
  if (admin.enable && !isLoopback(admin.addr.host)) {
    const advice = 'reading needs no token there: let a network policy say who may';
    made.push(
      findings.warning(
        'configuration',
        `admin.addr is open to other machines (${admin.addr.host || 'every interface'})`,
        advice,
      ),
    );
  }
  if (cache.maxStaleMs < 60 * 60_000) {
    const advice = 'an outage that lasts longer ends the answers; 72h costs nothing';
    made.push(
      findings.warning('configuration', `cache.maxStale is ${Math.round(cache.maxStaleMs / 1000)} s`, advice),
    );
  }
  if (keepAlive.graceMs < 10_000) {
    const advice = 'a Go scheduler needs up to 10 s to come back after its stream broke; 25s is the default';
    made.push(findings.warning('configuration', `keepAlive.grace is ${keepAlive.graceMs / 1000} s`, advice));
  }
  made.push(...checkClients(findings, server.clients));
  return made.length > 0 ? made : [findings.ok('configuration', 'right, and nothing unusual in it')];
}

/** Rules that hold nobody back are easily taken for some that do. */
function checkClients(findings: Findings, { mode, rules }: Config['server']['clients']): Finding[] {
  if (mode === 'enforce' || (mode === 'off' && rules.length === 0)) return [];
  const enforce = 'enforce when client_rules_total{outcome="warned"} stands still';
  // What `off` would refuse is not even counted.
  const advice =
    mode === 'off'
      ? `nobody is held against them: set it to warn first, and to ${enforce}`
      : `it refuses nobody: set it to ${enforce}`;
  return [
    findings.warning('configuration', `server.clients.mode is ${mode}, with ${rules.length} rules`, advice),
  ];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
