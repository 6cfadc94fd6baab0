import { NO_RULE } from '../config/client-rule.js';
import { codeName } from '../rpc/status.js';
import type {
  AnswerKind,
  AnswerSource,
  BadInputReason,
  CallerEvent,
  ConnectionCloseReason,
  ConnectionRefuseReason,
  ForbiddenOutcome,
  LimitName,
} from './events.js';
import type { MetricSources } from './gauges.js';
import { LATENCY_BUCKETS, membersOf, type SeriesMaker } from './series.js';
import { cellsBy } from './tally.js';

const CLOSED = membersOf<ConnectionCloseReason>({
  client: 0,
  'ping-timeout': 0,
  'first-frame': 0,
  idle: 0,
  limit: 0,
  drain: 0,
  'protocol-error': 0,
  error: 0,
});
const REFUSED = membersOf<ConnectionRefuseReason>({
  'max-connections': 0,
  'max-per-address': 0,
  'tls-handshake': 0,
  draining: 0,
});
const LIMITS = membersOf<LimitName>({
  resets: 0,
  pings: 0,
  settings: 0,
  refusals: 0,
  asking: 0,
  'empty-frames': 0,
  'bytes-in-flight': 0,
  memory: 0,
});
const BAD_INPUT = membersOf<BadInputReason>({
  frame: 0,
  'message-too-large': 0,
  metadata: 0,
  encoding: 0,
  path: 0,
  protocol: 0,
});
const ANSWERS = membersOf<AnswerKind>({ hit: 0, stale: 0, miss: 0, forwarded: 0, local: 0, refused: 0 });
const SOURCES = membersOf<AnswerSource>({ own: 0, shared: 0, sibling: 0, elsewhere: 0 });
const REMEMBERED = ['hit', 'stale', 'miss'];
/** Seconds: from the TTLs to `cache.maxStale`. */
const AGE_BUCKETS = [1, 15, 30, 60, 120, 300, 900, 3600, 21_600, 86_400, 259_200];

/** What callers do, and what they get. */
export function createCallerMetrics(
  { counter, tally, quickHistogram }: SeriesMaker,
  { readMethods: method, maxStaleMs }: Pick<MetricSources, 'readMethods' | 'maxStaleMs'>,
): (event: CallerEvent) => void {
  const opened = counter('downstream_connections_opened_total', 'Connections accepted from callers.');
  const closed = counter('downstream_connections_closed_total', 'Connections from callers that ended.', {
    reason: CLOSED,
  });
  const refused = counter(
    'downstream_connections_refused_total',
    'Connections from callers that were refused.',
    { reason: REFUSED },
  );
  const delayed = counter(
    'downstream_connections_delayed_total',
    'Connections from callers that had to wait for up to a second, because one from the same address had just been cut off.',
  );
  const badInput = counter('bad_input_total', 'Input from callers that is no gRPC, or over a limit.', {
    reason: BAD_INPUT,
  });
  const limits = counter(
    'limits_reached_total',
    'Times that a caller, or all of them, wanted more than is allowed.',
    {
      limit: LIMITS,
    },
  );
  // Rules have the names that the configuration gives them, and come with the first call that they are about.
  const rules = tally(
    'client_rules_total',
    'Calls and writes that rules of server.clients were asked about, by the rule and what came of it.',
    { rule: [NO_RULE], outcome: membersOf<ForbiddenOutcome>({ warned: 0, refused: 0 }) },
  );
  const ruled = cellsBy((rule) => cellsBy((outcome) => rules.cell({ rule, outcome })));
  // Other codes, and methods that are not remembered, come with the first call that ends so.
  const answers = tally('answers_total', 'Calls answered, by where the answer came from.', {
    method,
    answer: REMEMBERED,
    code: ['OK'],
  });
  const answered = cellsBy((method) =>
    cellsBy((answer) => cellsBy((code) => answers.cell({ method, answer, code }))),
  );
  const duration = quickHistogram(
    'answer_duration_seconds',
    'Time from a call to its answer.',
    { answer: ANSWERS },
    LATENCY_BUCKETS,
  );
  const age = quickHistogram('answer_age_seconds', 'Age of the answers to reads.', { method }, AGE_BUCKETS);
  const nearMaxStale = counter(
    'answers_near_max_stale_total',
    'Answers to reads that were older than half of cache.maxStale.',
  );
  const sources = tally(
    'answers_by_source_total',
    'Answers to reads: own, shared by all who would get the same, what a sibling was given, or callers elsewhere.',
    { source: SOURCES },
  );
  const bySource = cellsBy((source) => sources.cell({ source }));
  const wouldAnswer = counter(
    'would_have_answered_total',
    'Reads in mode observe, by what the answer would have been.',
    { method, answer: REMEMBERED },
  );
  const wouldGive = counter(
    'would_have_answered_by_source_total',
    'Reads in mode observe that would have been answered without the manager, by whose answer.',
    { source: SOURCES },
  );
  const coalesced = counter('coalesced_total', 'Reads that joined an asking under way.', { method });

  return (event) => {
    switch (event.kind) {
      case 'connection-opened':
        return opened.inc();
      case 'connection-delayed':
        return delayed.inc();
      case 'connection-closed':
        return closed.inc({ reason: event.reason });
      case 'connection-refused':
        return refused.inc({ reason: event.reason });
      case 'bad-input':
        return badInput.inc({ reason: event.reason });
      case 'limit-reached':
        return limits.inc({ limit: event.limit });
      case 'client-allowed':
        ruled(event.rule)('allowed').count += 1;
        return;
      case 'client-forbidden':
        ruled(event.rule)(event.outcome).count += 1;
        return;
      case 'call-answered':
        duration.observe(event.answer, event.durationMs / 1000);
        answered(event.method)(event.answer)(codeName(event.code)).count += 1;
        return;
      case 'answer-aged':
        bySource(event.source).count += 1;
        if (event.ageMs > maxStaleMs() / 2) nearMaxStale.inc();
        return age.observe(event.method, event.ageMs / 1000);
      case 'would-have-answered':
        if (event.answer !== 'miss') wouldGive.inc({ source: event.source });
        return wouldAnswer.inc({ method: event.method, answer: event.answer });
      case 'call-coalesced':
        return coalesced.inc({ method: event.method });
      default:
        return event satisfies never;
    }
  };
}
