import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { QuickHistogram } from '../../src/observe/quick-histogram.js';

const NAME = 'answer_duration_seconds';
const HELP = 'Time from a call to its answer.';
const BUCKETS = [0.0005, 0.01, 1, 10];

describe('a quick histogram', () => {
  it('says what one of prom-client says, byte for byte, of whatever was observed', async () => {
    const observed = fc.array(
      fc.tuple(
        fc.constantFrom('hit', 'miss', 'a "new" one\n'),
        fc.oneof(fc.double({ min: 0, max: 20, noNaN: true }), fc.constantFrom(...BUCKETS, 0)),
      ),
    );
    await fc.assert(
      fc.asyncProperty(observed, async (amounts) => {
        const [theirs, ours] = [new Registry(), new Registry()];
        const slow = new Histogram({
          name: NAME,
          help: HELP,
          labelNames: ['answer'],
          buckets: BUCKETS,
          registers: [theirs],
        });
        slow.zero({ answer: 'hit' });
        const quick = new QuickHistogram({
          name: NAME,
          help: HELP,
          label: 'answer',
          values: ['hit'],
          buckets: BUCKETS,
          registry: ours,
        });
        for (const [answer, amount] of amounts) {
          slow.observe({ answer }, amount);
          quick.observe(answer, amount);
        }
        expect(await ours.metrics()).toBe(await theirs.metrics());
        expect((await ours.getSingleMetric(NAME)?.get())?.values.length).toBe(
          (await theirs.getSingleMetric(NAME)?.get())?.values.length,
        );
      }),
    );
  });

  it('has the labels that the registry gives to all', async () => {
    const registry = new Registry();
    registry.setDefaultLabels({ fleet: 'berlin' });
    new QuickHistogram({
      name: NAME,
      help: HELP,
      label: 'answer',
      values: ['hit'],
      buckets: BUCKETS,
      registry,
    });
    expect(await registry.metrics()).toContain(`${NAME}_count{answer="hit",fleet="berlin"} 0`);
  });

  it('can be reset with its registry, and removed from it', async () => {
    const registry = new Registry();
    const options = { name: NAME, help: HELP, label: 'answer', values: ['hit'], buckets: BUCKETS, registry };
    const histogram = new QuickHistogram(options);
    const empty = await registry.metrics();
    histogram.observe('miss', 3);
    registry.resetMetrics();
    expect(await registry.metrics()).toBe(empty);
    registry.removeSingleMetric(NAME);
    expect(await registry.metrics()).not.toContain(NAME);
  });
});
