import { type Fault, oneOf } from './fault.js';

const SHORT_MS = 3_000;

/** Of replicas, of Redis, of what is between them all. */
export const PROCESS_FAULTS: readonly Fault[] = [
  {
    name: 'replica: killed',
    async begin({ replicas, struck }, random) {
      const one = oneOf(mortal(replicas), random);
      struck([one.name]);
      await one.kill();
      return () => restarted(one);
    },
  },
  {
    name: 'replica: restarted',
    async begin({ replicas, struck }, random) {
      const one = oneOf(mortal(replicas), random);
      struck([one.name]);
      const drained = one.drain();
      return async () => {
        const code = await drained;
        if (code !== 0) throw new Error(`${one.name} ended with ${code} after SIGTERM`);
        await restarted(one);
      };
    },
  },
  {
    name: 'replica: frozen',
    async begin({ replicas, struck }, random) {
      const one = oneOf(replicas, random);
      struck([one.name]);
      one.freeze();
      return async () => one.thaw();
    },
  },
  {
    name: 'replicas: all killed',
    async begin({ replicas }) {
      await Promise.all(replicas.map((one) => one.kill()));
      return async () => void (await Promise.all(replicas.map(restarted)));
    },
  },
  {
    name: 'clock: jumps',
    async begin({ replicas, struck }, random) {
      const one = oneOf(replicas, random);
      struck([one.name]);
      one.jump();
      return async () => one.jump();
    },
  },
  {
    name: 'redis: failover',
    async begin({ redis }) {
      await redis.failover();
      return async () => undefined;
    },
  },
  {
    name: 'redis: master killed',
    async begin({ redis }) {
      const master = redis.servers[await redis.master()];
      await master?.kill();
      return async () => {
        await master?.restart();
        redis.keep();
      };
    },
  },
  {
    name: 'redis: master frozen',
    async begin({ redis }) {
      const master = redis.servers[await redis.master()];
      master?.freeze();
      return async () => {
        master?.thaw();
      };
    },
  },
  {
    name: 'redis: loses everything',
    async begin({ redis }) {
      await redis.forget();
      return async () => undefined;
    },
  },
  {
    name: 'redis: restarted from an old dump',
    begin: ({ redis }) => redis.save(),
  },
  {
    name: 'sentinel: restarted',
    async begin({ redis }, random) {
      const one = oneOf(redis.sentinels, random);
      await one.kill();
      return async () => {
        await one.restart();
        redis.keep();
      };
    },
  },
  {
    name: 'links: frozen',
    longestMs: SHORT_MS,
    async begin({ toxiproxy }) {
      toxiproxy.freeze();
      return async () => toxiproxy.thaw();
    },
  },
  {
    name: 'links: restarted',
    async begin({ toxiproxy }) {
      await toxiproxy.restart();
      return async () => undefined;
    },
  },
];

/** One lives longer than the others, so that it can be told whether it grows. */
function mortal<T>(replicas: readonly T[]): readonly T[] {
  return replicas.slice(1);
}

async function restarted(replica: { readonly running: boolean; start(): Promise<void> }): Promise<void> {
  if (!replica.running) await replica.start();
}
