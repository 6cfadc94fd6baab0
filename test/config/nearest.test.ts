import { expect, test } from 'vitest';
import { nearest } from '../../src/config/nearest.js';

const KEYS = ['listen', 'maxConnections', 'addrs', 'id'];

test.each([
  ['Listen', 'listen'],
  ['lisetn', 'listen'],
  ['maxconections', 'maxConnections'],
  ['adress', 'addrs'],
])('%s was meant to be %s', (written, meant) => {
  expect(nearest(written, KEYS)).toBe(meant);
});

test.each(['ip', 'timeout', ''])('%j is near nothing', (written) => {
  expect(nearest(written, KEYS)).toBeUndefined();
});
