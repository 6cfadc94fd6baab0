import { isIP } from 'node:net';
import { plainName } from '../config/name-pattern.js';

/** May a request be answered that calls this server so? `host`: as in the header; undefined: it has none, and so comes from no browser. */
export type HostCheck = (host: string | undefined) => boolean;

export interface HostCheckOptions {
  /** `admin.hosts`, read when it is needed: names, `*.name` for all below one, `*` for any. */
  readonly hosts: () => readonly string[];
  /** The host of `admin.addr`, and that of this machine. */
  readonly own: readonly string[];
}

/** Names that only this machine, or this cluster, can answer for. */
const LOCAL = ['localhost', '.localhost', '.svc', '.svc.cluster.local'];

/**
 * Against DNS rebinding: a page of a stranger's, opened by an operator's browser, can have its name point here, and then reads what this
 * server says. It gives itself away by calling us by that name, which has to be one that the stranger owns: no address, none without a
 * dot, none of the cluster, and none that somebody has written into the configuration.
 */
export function createHostCheck({ hosts, own }: HostCheckOptions): HostCheck {
  const known = [...LOCAL, ...own.map((name) => name.toLowerCase())];
  return (header) => {
    if (header === undefined) return true;
    const name = nameIn(header);
    if (name === undefined) return false;
    if (isIP(name) !== 0 || !name.includes('.')) return true;
    return (
      known.some((one) => isMeant(one, name)) || hosts().some((one) => one === '*' || isMeant(one, name))
    );
  };
}

/** The host of `host:port`, without brackets and the root's dot; undefined: it is neither. */
function nameIn(header: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:/@[\]]+))(?::\d{1,5})?$/i.exec(header);
  const host = match?.[1] ?? match?.[2];
  return host && plainName(host);
}

/** ".svc" and "*.svc" are for all names below. */
function isMeant(one: string, name: string): boolean {
  const pattern = one.toLowerCase().replace(/^\*/, '');
  return pattern.startsWith('.') ? name.endsWith(pattern) && name.length > pattern.length : name === pattern;
}
