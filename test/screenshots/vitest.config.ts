import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

// No tests: what `npm run docs:screenshots` runs. It takes minutes, because curves need something to show.
// biome-ignore lint/style/noDefaultExport: vitest reads its configuration from the default export.
export default defineConfig({
  test: {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    include: ['test/screenshots/*.shots.ts'],
    testTimeout: 600_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
