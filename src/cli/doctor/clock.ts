import { request } from 'node:http';
import type { ManagerAddress } from '../../config/config.js';
import { type Finding, findingsAbout } from './finding.js';

/** The REST port of the manager, unless its operator has moved it. */
const REST_PORT = 8080;
const TIMEOUT_MS = 2_000;
/** `Date` has whole seconds, and the answer takes its time. */
const SKEW_MS = 5_000;

/** gRPC carries no time of day; the manager's REST port does, where it can be reached. Nothing is said where it cannot. */
export async function checkClock({ host }: ManagerAddress): Promise<Finding[]> {
  const managersMs = await dateOf(host);
  if (managersMs === undefined) return [];
  const skewMs = managersMs - Date.now();
  const findings = findingsAbout(host);
  if (Math.abs(skewMs) <= SKEW_MS)
    return [findings.ok('clock', `agrees with this machine to ${SKEW_MS / 1_000} s`)];
  const found = `${Math.round(Math.abs(skewMs) / 1_000)} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine`;
  return [findings.warning('clock', found, 'certificates and logs go by it: set the clocks (NTP)')];
}

function dateOf(host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const asked = request(
      { host, port: REST_PORT, method: 'HEAD', path: '/healthy', timeout: TIMEOUT_MS },
      (response) => {
        response.resume();
        const ms = Date.parse(response.headers.date ?? '');
        resolve(Number.isNaN(ms) ? undefined : ms);
      },
    );
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(undefined));
    asked.on('close', () => resolve(undefined));
    asked.end();
  });
}
