import { describe, expect, it } from 'vitest';
import { allExplained, logsMarkdown } from '../../src/observe/document/logs-markdown.js';
import { logLineOf } from '../../src/observe/log-table.js';

describe('docs/logs.md', () => {
  // Written anew by `npm run docs:logs`, which runs this file with --update.
  it('is what the log and the explanations of its events say', async () => {
    await expect(logsMarkdown()).toMatchFileSnapshot('../../docs/logs.md');
  });

  it('says of each event that leaves a line what to do, and of each that leaves none what it means', () => {
    const wrong = allExplained().filter((one) => (logLineOf(one.event) === undefined) !== 'means' in one);
    expect(wrong.map(({ event }) => event)).toEqual([]);
  });
});

describe('a line of the log', () => {
  const lines = allExplained().flatMap(({ event }) => logLineOf(event) ?? []);

  it('names its event, so that one can filter by it', () => {
    const wrong = allExplained().filter(({ event }) => {
      const line = logLineOf(event);
      return line !== undefined && line.fields.event !== event.kind;
    });
    expect(wrong).toEqual([]);
  });

  it('that is an error, says of what class', () => {
    expect(lines.filter(({ level, fields }) => level === 'error' && !('errorClass' in fields))).toEqual([]);
  });
});
