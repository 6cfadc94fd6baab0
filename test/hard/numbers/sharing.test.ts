import { vi } from 'vitest';

// The suites of what callers share as they are, with as many as there are in a large fleet.
process.env.DAEMONS = '10000';
process.env.HISTORIES = '10000';
vi.setConfig({ testTimeout: 900_000 });
await import('../../promises/sharing.test.js');
await import('../../cache/sharing/never-a-lie.test.js');
