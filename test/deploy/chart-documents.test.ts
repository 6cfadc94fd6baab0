import { expect, test } from 'vitest';
import { chartReadme, chartSchema } from '../support/chart-documents.js';

const CHART = 'deploy/helm/dragonfly-manager-gateway';

// Written anew by `npm run docs:chart`, which runs this file with --update.
test('the README of the chart is what its values say', async () => {
  await expect(chartReadme(`${CHART}/values.yaml`)).toMatchFileSnapshot(`../../${CHART}/README.md`);
});

test('the schema of the chart is what its values say', async () => {
  await expect(chartSchema(`${CHART}/values.yaml`)).toMatchFileSnapshot(`../../${CHART}/values.schema.json`);
});
