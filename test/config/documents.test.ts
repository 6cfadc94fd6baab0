import { expect, test } from 'vitest';
import { configurationMarkdown } from '../../src/config/document.js';
import { exampleYaml } from '../../src/config/example.js';

// Written anew by `npm run docs:config`, which runs this file with --update.
test('docs/configuration.md is what the schema says', async () => {
  await expect(configurationMarkdown()).toMatchFileSnapshot('../../docs/configuration.md');
});

test('deploy/manager-gateway.yaml is what the schema says', async () => {
  await expect(exampleYaml()).toMatchFileSnapshot('../../deploy/manager-gateway.yaml');
});
