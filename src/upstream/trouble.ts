import type { Clock } from '../rpc/clock.js';
import type { Address } from './address.js';
import type { Manager } from './manager.js';

/** From here on a time of day alone would be misread. */
const HALF_A_DAY_MS = 12 * 3_600_000;

/** `"manager manager:65003 has not answered since 12:00:05Z (connection refused)"`, one part per manager. */
export function describeTrouble(managers: readonly Manager[], clock: Clock): string {
  return managers.map((manager) => managerTrouble(manager, clock)).join('; ');
}

function managerTrouble(manager: Manager, clock: Clock): string {
  const { text, trouble, addresses } = manager;
  if (trouble) return `manager ${text} cannot be resolved since ${since(trouble, clock)} (${trouble.detail})`;
  if (addresses.length === 0) return `manager ${text} is being looked up`;
  const [oldest, ...others] = [...addresses].sort((a, b) => a.health.sinceMs - b.health.sinceMs);
  if (!oldest) return `manager ${text} has no address`;
  const more = others.length > 0 ? `, and ${others.length} more behind the name` : '';
  return `${addressTrouble(text, oldest, clock)}${more}`;
}

function addressTrouble(manager: string, { health }: Address, clock: Clock): string {
  const reason = health.detail.replace(`manager-gateway: manager ${manager}: `, '');
  if (health.state === 'unknown') return `manager ${manager} has not answered yet (${reason})`;
  return `manager ${manager} has not answered since ${since(health, clock)} (${reason})`;
}

function since(when: { readonly sinceMs: number; readonly sinceWallMs: number }, clock: Clock): string {
  const iso = new Date(when.sinceWallMs).toISOString().replace(/\.\d+Z$/, 'Z');
  return clock.nowMs() - when.sinceMs < HALF_A_DAY_MS ? iso.slice(11) : iso;
}
