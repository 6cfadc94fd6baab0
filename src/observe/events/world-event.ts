/** Is it still the same manager? */
export type WorldEvent =
  | { kind: 'world-frozen'; detail: string }
  | { kind: 'world-known-again' }
  | { kind: 'world-cleared' }
  | { kind: 'world-accepted' };
