import { vi } from 'vitest';

// The suites of test/promises as they are, but as slow as life: what a node's end and a row's loss come to in a fleet's own time.
process.env.SHIELD_TIME_FACTOR = '1';
vi.setConfig({ testTimeout: 900_000 });
await import('../../promises/keep-alive-ends.test.js');
await import('../../promises/keep-alive-rows.test.js');
