import type { ProcessEvent } from '../events.js';
import type { Explanations } from './explained.js';

const AGAIN = 'Nothing: the counterpart of what was told before.';

/** The gateway itself, and what operators do with it. */
export const ABOUT_PROCESS = {
  started: [
    {
      event: {
        kind: 'started',
        version: '1.0.0',
        mode: 'answer',
        listen: '0.0.0.0:65003',
        metrics: '0.0.0.0:8000',
        admin: '127.0.0.1:8080',
      },
      todo: 'Nothing. If nobody started it, the process before it ended without a `stopped`: it was killed (out of memory?).',
    },
  ],
  'serving-changed': [
    {
      event: {
        kind: 'serving-changed',
        reason: 'manager manager:65003 has not answered since 12:00:05Z (connection refused)',
      },
      todo: 'Daemons that start now exit. No manager works, and nothing is remembered that could be answered with: mend the way to the manager (`manager-gateway doctor` says where it ends). With `snapshot.dir` the next start has something to serve.',
    },
    { event: { kind: 'serving-changed', reason: undefined }, todo: AGAIN },
  ],
  'mode-changed': [
    {
      event: { kind: 'mode-changed', from: 'answer', to: 'observe' },
      todo: 'Nothing, if it was wanted; the line after it (`operator-acted`, `config-reloaded`) says by whom. In `observe` and `bypass` nobody is answered while the managers are away.',
    },
  ],
  'maintenance-begun': [
    {
      event: { kind: 'maintenance-begun', durationMs: 600_000 },
      todo: 'Nothing: it ends by itself. To end it now: `POST /api/maintenance {"minutes": 0}`.',
    },
  ],
  'maintenance-ended': [{ event: { kind: 'maintenance-ended' }, todo: AGAIN }],
  'operator-acted': [
    {
      event: {
        kind: 'operator-acted',
        action: 'drop',
        detail: '{"method":"ListSchedulers"}',
        from: '127.0.0.1',
      },
      todo: 'Nothing, if it was one of you. If not: another `admin.token`, and a restart.',
    },
  ],
  'operator-refused': [
    {
      event: { kind: 'operator-refused', action: 'mode', from: '10.0.0.99' },
      todo: 'A wrong token in a script, or somebody tries. `from` is the address; `admin.addr` is meant to be reached by operators only.',
    },
  ],
  'config-reloaded': [
    {
      event: { kind: 'config-reloaded', applied: ['cache.methods.ListSchedulers.ttl'], needRestart: [] },
      todo: 'Nothing.',
    },
    {
      event: { kind: 'config-reloaded', applied: ['mode'], needRestart: ['redis.password'] },
      todo: 'Restart when it suits. Until then the old values of `needRestart` run.',
    },
  ],
  'config-refused': [
    {
      event: {
        kind: 'config-refused',
        detail: 'cache.maxStale: got "3 days"; allowed: duration such as 500ms, 1m30s or 72h, or 0s',
      },
      todo: 'Mend the file; the message names key, line, what was found and what is allowed, and `manager-gateway serve --check` says the same. The old configuration runs on, but a restart would fail.',
    },
  ],
  'certificate-expiring': [
    {
      event: {
        kind: 'certificate-expiring',
        use: 'server',
        atMs: Date.UTC(2026, 0, 10),
        leftMs: 9 * 86_400_000,
      },
      todo: 'Renew it: docs/runbooks/certificate-expiring.md. The gateway takes the new file within seconds, without a restart.',
    },
    {
      event: { kind: 'certificate-expiring', use: 'manager', atMs: Date.UTC(2026, 0, 1), leftMs: -1 },
      todo: 'Renew it now. Connections that are open stay; new ones are refused by whoever checks it.',
    },
  ],
  draining: [
    { event: { kind: 'draining', connections: 412 }, todo: 'Nothing: somebody has stopped it (SIGTERM).' },
  ],
  stopped: [
    { event: { kind: 'stopped', clean: true, detail: 'every call was finished' }, todo: 'Nothing.' },
    {
      event: {
        kind: 'stopped',
        clean: false,
        detail: 'server.drainTimeout was near; what was open was cut',
      },
      todo: 'Callers repeat what was cut. At every rollout: a longer `server.drainTimeout`, and a longer `terminationGracePeriodSeconds` than that.',
    },
  ],
  'internal-error': [
    {
      event: {
        kind: 'internal-error',
        where: 'manager.v2.Manager/ListSchedulers',
        error: new Error('what broke'),
      },
      todo: 'A fault of the gateway itself. What a caller was doing there ended with INTERNAL; the rest goes on. Report it with `err.stack`; if it hurts, `bypass` is the way round it.',
    },
    {
      event: { kind: 'internal-error', where: 'sending spans', error: new Error('connect ECONNREFUSED') },
      todo: 'The receiver at `tracing.endpoint` does not take spans. Only traces are lost.',
    },
    {
      event: {
        kind: 'internal-error',
        where: 'writing the last snapshot',
        error: new Error(
          'snapshot.dir, or the receiver of traces, takes too long; the last state may be missing',
        ),
      },
      todo: 'Told at a stop: the disk (or the receiver of traces) hangs. The next start has the snapshot before the last one; registrations that were acknowledged are there.',
    },
  ],
} satisfies Explanations<ProcessEvent['kind']>;
