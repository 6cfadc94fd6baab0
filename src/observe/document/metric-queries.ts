import { METRIC_PREFIX as P } from '../metric-prefix.js';

/** What somebody wants to know, how to ask Prometheus, and what to make of the answer. */
export interface MetricQuery {
  readonly question: string;
  readonly query: string;
  readonly tells: string;
}

/** The three figures that the incident asked for, first. */
export const METRIC_QUERIES: readonly MetricQuery[] = [
  {
    question: 'Are channels opened and closed again and again?',
    query: `60 * sum(rate(${P}upstream_channels_created_total[5m]))`,
    tells: `A minute, towards the managers: 0 but for a start or a break. Callers': the same of \`${P}downstream_connections_opened_total\`; \`/api/callers\` says who.`,
  },
  {
    question: 'How long does the manager take?',
    query: `histogram_quantile(0.99, sum by (le, method) (rate(${P}manager_response_seconds_bucket[5m])))`,
    tells:
      'Milliseconds when well. 3 to 9 s: its Redis hangs. 10 s: nothing is answered (`managers.requestTimeout`).',
  },
  {
    question: 'How much is the manager spared?',
    query: `sum(rate(${P}answers_total{answer=~"hit|stale"}[5m])) / sum(rate(${P}answers_total{answer=~"hit|stale|miss"}[5m]))`,
    tells:
      'The share of reads answered from memory. Low in a large fleet: lists are not shared (`sharing-changed` in the log says why), or TTLs are shorter than the polls.',
  },
  {
    question: 'Does anybody get an error?',
    query: `sum by (method, code) (rate(${P}answers_total{answer="refused"}[5m])) > 0`,
    tells:
      'Calls that ended with an error of the gateway. Errors that the manager said itself are under `miss` and `forwarded`.',
  },
  {
    question: 'Is this an outage?',
    query: `sum(${P}manager_healthy) == 0`,
    tells: 'No address of a manager works. Callers are answered all the same while `serving` is 1.',
  },
  {
    question: 'Whom do we not ask any more?',
    query: `max by (method) (${P}breaker_state{state!="closed"}) == 1`,
    tells: 'Methods whose breaker is open, or half open for a trial: the manager fails them.',
  },
  {
    question: 'How old is what callers get?',
    query: `histogram_quantile(0.99, sum by (le, method) (rate(${P}answer_age_seconds_bucket[5m])))`,
    tells: 'Below TTL and `swr` together when well; it grows with an outage.',
  },
  {
    question: 'Does the manager say something that we do not believe?',
    query: `sum(${P}guard_holding) > 0`,
    tells:
      'Poorer answers that are held back: `/api/cache?held=true` says which. Replaced after `cache.emptyHold`.',
  },
  {
    question: 'Is it another manager?',
    query: `max(${P}another_manager) == 1`,
    tells: 'Nothing of it is taken until it is accepted: `world-frozen` in the log says why.',
  },
  {
    question: 'Is every live node active?',
    query: `sum by (type) (${P}nodes_disputed) > 0`,
    tells: 'For a moment: mended. For 10 minutes: see `node-disputed` in the log.',
  },
  {
    question: 'For how long are nodes inactive when a link breaks?',
    query: `histogram_quantile(0.99, sum by (le) (rate(${P}node_stream_gap_seconds_bucket[1h])))`,
    tells:
      'Milliseconds for a connection that ages, a second or two for one that breaks; as long as the manager is away.',
  },
  {
    question: 'Does the manager lack registrations?',
    query: `max(${P}registrations_pending) > 0`,
    tells:
      'Acknowledged during an outage, and to be made up for. With a manager that works it is soon 0, but for seed peers that show no sign of life.',
  },
  {
    question: 'Is Redis in order?',
    query: `max(${P}redis_lost) == 1 or sum by (reason) (rate(${P}redis_errors_total[5m])) > 0`,
    tells:
      'Whether there is no connection that works, else why commands fail; nobody gets a worse answer for it.',
  },
  {
    question: 'With whom does TLS fail?',
    query: `sum by (peer, fault) (rate(${P}tls_failures_total[5m])) > 0`,
    tells:
      'And why: `expired` and `authority` are certificates to renew or to exchange, `certificate` is one that is missing or not accepted, `plaintext` that only one side speaks TLS. Behind callers it may be a port scan.',
  },
  {
    question: 'Is there room?',
    query: `sum(rate(${P}downstream_connections_refused_total{reason="max-connections"}[5m])) > 0 or max(${P}process_open_fds / ${P}process_max_fds) > 0.8`,
    tells: '`server.maxConnections`, or file descriptors, are (nearly) used up.',
  },
  {
    question: 'Is the gateway itself too slow?',
    query: `max(${P}nodejs_eventloop_lag_p99_seconds) > 0.1`,
    tells: 'CPU limits, or too much work for one process.',
  },
  {
    question: 'What would it do? (mode observe)',
    query: `sum(rate(${P}would_have_answered_total{answer=~"hit|stale"}[1h])) / sum(rate(${P}would_have_answered_total[1h]))`,
    tells: 'The share of reads that `answer` would have spared the manager.',
  },
];
