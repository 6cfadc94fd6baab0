import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/hard/**', 'node_modules/**'],
    // Nothing waits for them to pass: a busy machine takes long for what an idle one does at once.
    testTimeout: 90_000,
    hookTimeout: 90_000,
    // In CI, where a shared machine may stand still for seconds: what failed once is run again, and the reporter says so.
    retry: process.env.CI ? 1 : 0,
    pool: 'forks',
    // More than there are cores on a small machine: a third of the time a suite waits, for processes and for what they are to notice.
    maxWorkers: 3,
    // Suites that only wait do so side by side.
    maxConcurrency: 24,
  },
});
