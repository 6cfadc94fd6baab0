import type { Counter, Histogram } from 'prom-client';

interface Series {
  readonly opened: Counter;
  readonly closed: Counter<'reason'>;
  readonly refused: Counter<'reason'>;
  readonly badInput: Counter<'reason'>;
  readonly answered: Counter<'method' | 'answer' | 'code'>;
  readonly discarded: Counter<'method' | 'reason'>;
  readonly held: Counter<'method' | 'reason'>;
  readonly guardReleased: Counter<'method' | 'reason'>;
  readonly reloads: Counter<'result'>;
  readonly internalErrors: Counter;
  readonly duration: Histogram<'answer'>;
  readonly bySource: Counter<'source'>;
}

/** Makes the series whose absence would be mistaken for silence: `rate()` needs the 0 before the first 1. */
export function initialSeries(series: Series, readMethods: readonly string[]): void {
  for (const reason of ['client', 'ping-timeout', 'drain', 'protocol-error', 'error'])
    series.closed.inc({ reason }, 0);
  for (const reason of ['max-connections', 'tls-handshake', 'draining']) series.refused.inc({ reason }, 0);
  for (const reason of ['frame', 'message-too-large', 'metadata', 'encoding', 'path', 'protocol']) {
    series.badInput.inc({ reason }, 0);
  }
  for (const result of ['applied', 'refused']) series.reloads.inc({ result }, 0);
  for (const answer of ['hit', 'stale', 'miss', 'forwarded', 'local', 'refused'])
    series.duration.zero({ answer });
  for (const source of ['own', 'shared', 'sibling', 'elsewhere']) series.bySource.inc({ source }, 0);
  for (const method of readMethods) {
    for (const answer of ['hit', 'stale', 'miss']) series.answered.inc({ method, answer, code: 'OK' }, 0);
    for (const reason of ['asked-earlier', 'voided-by-write', 'too-large', 'unreadable']) {
      series.discarded.inc({ method, reason }, 0);
    }
    for (const reason of ['empty-list', 'record-not-found', 'without-cluster', 'lost-live-node']) {
      series.held.inc({ method, reason }, 0);
      series.guardReleased.inc({ method, reason }, 0);
    }
  }
  series.opened.inc(0);
  series.internalErrors.inc(0);
}
