import { describe, vi } from 'vitest';

// The suites of test/promises and their like as they are, with as many as the promises speak of.
Object.assign(process.env, {
  ...{ CALLERS: '1000', NEWCOMERS: '2000', DAEMONS: '10000', CONNECTIONS: '10000', MESSAGES: '10000' },
  ...{
    REPLICA_CALLERS: '3000',
    ROUNDS: '200',
    SWITCHES: '60',
    MOMENTS: '10',
    FLIPS: '1000',
    KILLS: '20',
    ONLOOKERS: '100',
    ROTATIONS: '20',
  },
});
vi.setConfig({ testTimeout: 900_000, hookTimeout: 300_000 });

const SUITES: Readonly<Record<string, () => Promise<unknown>>> = {
  'few channels': () => import('../../promises/few-channels.test.js'),
  newcomers: () => import('../../promises/every-newcomer-starts.test.js'),
  restarts: () => import('../../promises/survives-restart.test.js'),
  'a return': () => import('../../promises/return-of-the-manager.test.js'),
  connections: () => import('../../promises/dropped-connections.test.js'),
  certificates: () => import('../../promises/tls-rotation.test.js'),
  'bad input': () => import('../../promises/bad-input.test.js'),
  shapes: () => import('../../promises/transparent-shapes.test.js'),
  modes: () => import('../../promises/mode-switches.test.js'),
  replicas: () => import('../../promises/replica-processes.test.js'),
  registrations: () => import('../../promises/registrations-of-replicas.test.js'),
  'the journal': () => import('../../registrations/journal.test.js'),
  'a snapshot': () => import('../../cache/snapshot/format.test.js'),
  observe: () => import('../../cache/onlooker.test.js'),
};

// Each with hooks of its own.
for (const [name, load] of Object.entries(SUITES)) describe(name, async () => void (await load()));
