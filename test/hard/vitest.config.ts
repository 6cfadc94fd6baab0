import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// Suites that need another toolchain, or minutes. A missing toolchain is a failure that names it, never a skip.
// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from the default export.
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/hard/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 2,
    maxConcurrency: 24,
  },
});
