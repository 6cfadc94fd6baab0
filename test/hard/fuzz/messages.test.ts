import { vi } from 'vitest';

// The suites of test/fuzz as they are, a million times: FUZZ_RUNS=… for another number, FUZZ_SEED=… for the rounds of another run.
process.env.FUZZ_RUNS ??= '1000000';
vi.setConfig({ testTimeout: 1_800_000 });
await import('../../fuzz/requests.test.js');
await import('../../fuzz/keys.test.js');
