import { refusalOf } from '../../clients/words.js';
import type { CallerEvent } from '../events.js';
import type { Explanations } from './explained.js';

const LIST = 'manager.v2.Manager/ListSchedulers';

/** Those who connect to the gateway. */
export const ABOUT_CALLERS = {
  'connection-opened': [{ event: { kind: 'connection-opened' }, means: 'A caller has connected.' }],
  'connection-delayed': [
    {
      event: { kind: 'connection-delayed' },
      means:
        'A connection comes from an address from which one was just cut off, and is not read for half a second, or up to a second if many come.',
    },
  ],
  'connection-closed': [
    { event: { kind: 'connection-closed', reason: 'client' }, means: 'A connection has ended, and why.' },
  ],
  'call-answered': [
    {
      event: { kind: 'call-answered', method: LIST, answer: 'hit', code: 0, durationMs: 0.4 },
      means: 'A call has ended: how it was answered, with which code, after how long.',
    },
  ],
  'call-coalesced': [
    { event: { kind: 'call-coalesced', method: LIST }, means: 'A read has joined an asking under way.' },
  ],
  'answer-aged': [
    {
      event: { kind: 'answer-aged', method: LIST, ageMs: 90_000, source: 'elsewhere' },
      todo: 'The managers fail: see `address-state-changed`. Here there is nothing to do; the daemon asks again by itself.',
    },
    {
      event: { kind: 'answer-aged', method: LIST, ageMs: 12, source: 'own' },
      means: 'A read was answered, so old, and whose answer it was (`elsewhere` leaves a line).',
    },
  ],
  'would-have-answered': [
    {
      event: { kind: 'would-have-answered', method: LIST, answer: 'hit', source: 'shared' },
      means: 'Mode `observe`: how a read that was forwarded would have been answered.',
    },
  ],
  'connection-refused': [
    {
      event: {
        kind: 'connection-refused',
        reason: 'max-connections',
        detail: '25000 connections are open, and no more are allowed (server.maxConnections)',
      },
      todo: 'Who opens them? `/api/callers`, the churners first. If it is the fleet itself: a larger `server.maxConnections` (no restart), and file descriptors for it (`manager-gateway doctor`).',
    },
    {
      event: {
        kind: 'connection-refused',
        reason: 'tls-handshake',
        detail: 'client certificate: CERT_HAS_EXPIRED',
      },
      todo: 'A caller with a wrong or expired certificate, or without TLS, or a port scan. If daemons complain: their certificates, and `server.tls`.',
    },
    {
      event: { kind: 'connection-refused', reason: 'draining', detail: 'the gateway is stopping' },
      todo: 'Nothing: it came while the gateway was being stopped, and connects again.',
    },
  ],
  'bad-input': [
    {
      event: {
        kind: 'bad-input',
        reason: 'message-too-large',
        detail: 'a message of 5000000 bytes; 4194304 are allowed (server.maxMessageBytes)',
      },
      todo: 'If it is a caller of yours: `server.maxMessageBytes` (`message-too-large`) or `server.maxMetadataBytes` (`metadata`), no restart. Anything else is somebody who speaks no gRPC to this port.',
    },
  ],
  'limit-reached': [
    {
      event: {
        kind: 'limit-reached',
        limit: 'resets',
        detail:
          'more than 100 streams reset by the caller per second on one connection (server.limits.resetsPerSecond)',
      },
      todo: 'Its connection was closed, nobody else was touched. If it is a caller of yours, and means well: the key of `server.limits` that the line names, no restart. Otherwise look for who it is in `/api/callers`.',
    },
    {
      event: {
        kind: 'limit-reached',
        limit: 'asking',
        detail:
          'more than 200 reads that memory cannot answer, and writes per second on one connection (server.limits.asksPerSecond)',
      },
      todo: 'Those calls got RESOURCE_EXHAUSTED, or the last good answer. Many callers behind one connection (a proxy) may need more: `server.limits.asksPerSecond`.',
    },
    {
      event: {
        kind: 'limit-reached',
        limit: 'memory',
        detail: '900000000 bytes of memory are in use; 850000000 are allowed (server.limits.memory)',
      },
      todo: 'Only what is remembered is answered until memory is free again. More memory for the container, a smaller `cache.maxBytes`, or another replica (`manager-gateway plan`).',
    },
  ],
  'client-allowed': [
    {
      event: { kind: 'client-allowed', rule: 'daemons' },
      means:
        'A rule of `server.clients.rules` allows a call. None of this while `server.clients.mode` is `off`.',
    },
  ],
  'client-forbidden': [
    {
      event: {
        kind: 'client-forbidden',
        rule: 'none',
        outcome: 'refused',
        method: 'manager.v2.Manager/UpdateScheduler',
        isNews: true,
        detail: refusalOf(
          '/manager.v2.Manager/UpdateScheduler',
          { dns: ['d7.daemon.example'], uris: [], ips: [], emails: [] },
          ['daemons'],
        ),
      },
      todo: 'Said once of each client and method. If it is a caller of yours: a rule in `server.clients.rules` (no restart), or `server.clients.mode: warn` until they are right. Otherwise somebody does more than he should: the names are those of his certificate.',
    },
    {
      event: {
        kind: 'client-forbidden',
        rule: 'none',
        outcome: 'warned',
        method: 'manager.v2.Manager/ListSchedulers',
        isNews: true,
        detail: refusalOf('/manager.v2.Manager/ListSchedulers', undefined, []),
      },
      todo: 'Mode `warn`: it was served. Before `enforce`, there should be no such line, and `client_rules_total{outcome="warned"}` should stand still for a day.',
    },
  ],
} satisfies Explanations<CallerEvent['kind']>;
