import { lookup } from 'node:dns/promises';

/** Names to IP addresses. */
export interface Resolver {
  /** All addresses of `host`, best first; rejects when there are none. An IP address is its own answer. */
  lookup(host: string): Promise<readonly string[]>;
}

/** The system's resolver: /etc/hosts, search domains and all, as the components of Dragonfly use it. */
export const systemResolver: Resolver = {
  async lookup(host) {
    const found = await lookup(host, { all: true, order: 'verbatim' });
    return found.map(({ address }) => address);
  },
};
