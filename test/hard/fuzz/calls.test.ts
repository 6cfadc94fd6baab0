import { vi } from 'vitest';

// See messages.test.ts.
process.env.FUZZ_RUNS ??= '1000000';
vi.setConfig({ testTimeout: 1_800_000 });
await import('../../fuzz/calls.test.js');
await import('../../fuzz/answers-on-the-wire.test.js');
