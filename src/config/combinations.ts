import { formatHostPort, type ListenAddress, type ParsedManagerAddress } from './addresses.js';
import type { Conflict } from './conflict.js';
import { formatDuration } from './durations.js';
import { at, type Path } from './path.js';
import type { Settings } from './schema.js';

type Rule = (settings: Settings) => Conflict[];

/** What the schema cannot say of one key alone. */
const RULES: readonly Rule[] = [
  serverTls,
  clients,
  managersTls,
  duplicateManagers,
  (s) =>
    notLonger(
      ['managers.probe.slow', s.managers.probe.slow],
      ['managers.probe.timeout', s.managers.probe.timeout],
    ),
  (s) =>
    notLonger(
      ['cache.responseTimer', s.cache.responseTimer],
      ['managers.requestTimeout', s.managers.requestTimeout],
    ),
  redis,
  listeners,
];

/** Every impossible combination in `settings`. */
export function impossibleCombinations(settings: Settings): Conflict[] {
  return RULES.flatMap((rule) => rule(settings));
}

function serverTls({ server: { tls } }: Settings): Conflict[] {
  const conflicts = halfAPair('server.tls', tls);
  if (tls.clientAuth !== 'none' && (tls.caCert === '' || tls.cert === '')) {
    const missing = tls.caCert === '' ? 'caCert' : 'cert';
    const found = `"${tls.clientAuth}" without server.tls.${missing}`;
    const paths = ['server.tls.clientAuth', 'server.tls.caCert', 'server.tls.cert'];
    conflicts.push(conflict(paths, found, 'none, or caCert, cert and key set'));
  } else if (tls.caCert !== '' && tls.cert === '' && tls.key === '') {
    const paths = ['server.tls.caCert', 'server.tls.cert'];
    conflicts.push(
      conflict(paths, 'caCert without cert, which leaves TLS off', 'caCert, cert and key, or none'),
    );
  }
  return conflicts;
}

/** Rules about certificates that nobody is asked for would mean something else than they say. */
function clients({ server: { clients: is, tls } }: Settings): Conflict[] {
  if (is.mode === 'off') return [];
  if (tls.clientAuth === 'none') {
    const paths = ['server.clients.mode', 'server.tls.clientAuth'];
    const found = `"${is.mode}" with server.tls.clientAuth "none": callers are asked for no certificate`;
    return [conflict(paths, found, 'off, or clientAuth request or require, with its caCert, cert and key')];
  }
  if (is.mode === 'warn' || is.rules.length > 0) return [];
  const paths = ['server.clients.mode', 'server.clients.rules'];
  return [conflict(paths, '"enforce" without a rule, which refuses everybody', 'at least one rule with it')];
}

function managersTls({ managers: { tls, addrs } }: Settings): Conflict[] {
  const conflicts = halfAPair('managers.tls', tls);
  const hasFiles = tls.caCert !== '' || tls.cert !== '';
  const files = tls.caCert !== '' ? 'managers.tls.caCert' : 'managers.tls.cert';
  for (const [index, address] of addrs.entries()) {
    if (!hasFiles || address.tls !== 'off') continue;
    const paths: [Path, Path] = [addressPath(index), at(files)];
    conflicts.push({
      paths,
      found: `"${address.text}" with ${files} set`,
      allowed: 'https:// or no scheme with it',
    });
  }
  const anyTls = addrs.some((address) => address.tls === 'on' || (address.tls === 'fromFiles' && hasFiles));
  if (tls.serverName !== '' && !anyTls) {
    const paths = ['managers.tls.serverName', 'managers.addrs', 'managers.tls.caCert'];
    conflicts.push(
      conflict(paths, 'a serverName where no address uses TLS', 'https:// addresses, or caCert set'),
    );
  }
  return conflicts;
}

function halfAPair(path: string, tls: { readonly cert: string; readonly key: string }): Conflict[] {
  if ((tls.cert === '') === (tls.key === '')) return [];
  const [given, missing] = tls.cert === '' ? ['key', 'cert'] : ['cert', 'key'];
  return [
    conflict([`${path}.${given}`, `${path}.${missing}`], `${given} without ${missing}`, 'both, or neither'),
  ];
}

function duplicateManagers({ managers: { addrs } }: Settings): Conflict[] {
  const name = ({ host, port }: ParsedManagerAddress) => formatHostPort({ host: host.toLowerCase(), port });
  return addrs.flatMap((address, index) => {
    const first = addrs.findIndex((other) => name(other) === name(address));
    if (first === index) return [];
    const found = `"${address.text}", the same as managers.addrs[${first}]`;
    return [{ paths: [addressPath(index)], found, allowed: 'each host and port once' }];
  });
}

function notLonger([path, valueMs]: [string, number], [limitPath, limitMs]: [string, number]): Conflict[] {
  if (valueMs <= limitMs) return [];
  // Each with its name: this may be told at the place of either.
  const found = `${path} ${formatDuration(valueMs)} with ${limitPath} ${formatDuration(limitMs)}`;
  return [conflict([path, limitPath], found, `${path} up to ${limitPath}`)];
}

function redis({ redis: { addrs, mode, masterName, db, tls }, fleet }: Settings): Conflict[] {
  const conflicts = halfAPair('redis.tls', tls);
  if (!tls.enable && (tls.caCert !== '' || (tls.cert !== '' && tls.key !== ''))) {
    const given = tls.caCert === '' ? 'cert' : 'caCert';
    const paths = [`redis.tls.${given}`, 'redis.tls.enable'];
    conflicts.push(conflict(paths, `${given} without enable, which leaves TLS off`, 'it with enable: true'));
  }
  if (!tls.enable && tls.serverName !== '') {
    const paths = ['redis.tls.serverName', 'redis.tls.enable'];
    conflicts.push(
      conflict(paths, 'serverName without enable, which leaves TLS off', 'it with enable: true'),
    );
  }
  if (addrs.length > 0 && fleet.id === '') {
    const found = 'Redis addresses without fleet.id';
    conflicts.push(conflict(['redis.addrs', 'fleet.id'], found, 'fleet.id set, so that fleets cannot mix'));
  }
  if (mode === 'sentinel' && masterName === '') {
    conflicts.push(
      conflict(['redis.mode', 'redis.masterName'], 'sentinel without masterName', 'masterName set'),
    );
  }
  if (mode === 'cluster' && db !== 0) {
    conflicts.push(conflict(['redis.db', 'redis.mode'], `${db}, with mode cluster`, '0 with mode cluster'));
  }
  return conflicts;
}

/** Addresses that cannot all be bound. Port 0 never clashes. */
function listeners({ server, metrics, admin }: Settings): Conflict[] {
  const all: (readonly [string, ListenAddress])[] = [['server.listen', server.listen]];
  if (metrics.enable) all.push(['metrics.addr', metrics.addr]);
  if (admin.enable) all.push(['admin.addr', admin.addr]);
  return all.flatMap(([path, address], index) => {
    const taken = all.slice(0, index).find(([, other]) => clash(address, other));
    if (taken === undefined) return [];
    const [other, otherAddress] = taken;
    const found = `${other} ${formatHostPort(otherAddress)} with ${path} ${formatHostPort(address)}`;
    return [conflict([path, other], found, 'an address of its own for each')];
  });
}

function clash(one: ListenAddress, other: ListenAddress): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  const [a, b] = [bound(one.host), bound(other.host)];
  if (a === b || a === '::' || b === '::') return true;
  return (a === '0.0.0.0' && !b.includes(':')) || (b === '0.0.0.0' && !a.includes(':'));
}

/** "" and "::" bind both families. */
function bound(host: string): string {
  const lower = host.toLowerCase();
  if (lower === 'localhost') return '127.0.0.1';
  return lower === '' ? '::' : lower;
}

function conflict(paths: readonly string[], found: string, allowed: string): Conflict {
  const [first = '', ...others] = paths;
  return { paths: [at(first), ...others.map(at)], found, allowed };
}

function addressPath(index: number): Path {
  return ['managers', 'addrs', index];
}
