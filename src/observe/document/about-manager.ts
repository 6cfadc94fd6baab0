import type { ManagerEvent } from '../events.js';
import type { Explanations } from './explained.js';

const LIST = 'manager.v2.Manager/ListSchedulers';
const FIRST = { manager: '0', address: '10.0.0.7:65003' } as const;
const SERVED = 'Callers get what is remembered meanwhile.';

/** What the managers say, and the connections to them. */
export const ABOUT_MANAGER = {
  'manager-answered': [
    {
      event: {
        kind: 'manager-answered',
        method: LIST,
        manager: '0',
        code: 14,
        latencyMs: 2,
        errorClass: 'transient',
        detail: 'connect ECONNREFUSED 10.0.0.7:65003',
      },
      todo: `If it goes on: \`manager-gateway doctor\` says how far one gets, from the name to the manager's database. ${SERVED}`,
    },
    {
      event: {
        kind: 'manager-answered',
        method: LIST,
        manager: '0',
        code: 13,
        latencyMs: 12,
        errorClass: 'transient',
        detail: 'dial tcp 10.0.0.9:3306: connect: connection refused',
      },
      todo: `The manager is there, its database is not: go there. The manager's own health says SERVING all the while. ${SERVED}`,
    },
    {
      event: {
        kind: 'manager-answered',
        method: LIST,
        manager: '0',
        code: 8,
        latencyMs: 1,
        errorClass: 'backpressure',
        detail: `/${LIST} is rejected by grpc_ratelimit middleware, please retry later`,
      },
      todo: 'The manager is asked for more than it lets through. Who does? `/api/callers` for those who come through here; others go to it directly.',
    },
    {
      event: {
        kind: 'manager-answered',
        method: LIST,
        manager: '0',
        code: 7,
        latencyMs: 3,
        errorClass: 'permanent',
        detail: 'permission denied',
      },
      todo: "About one caller's request, not about the manager. Nothing, unless that caller complains.",
    },
  ],
  'breaker-changed': [
    {
      event: { kind: 'breaker-changed', method: LIST, from: 'closed', to: 'open' },
      todo: `The \`manager-answered\` lines before it say why. The method is tried again every \`breaker.resetTimeout\`. ${SERVED}`,
    },
    {
      event: { kind: 'breaker-changed', method: LIST, from: 'half-open', to: 'closed' },
      todo: 'Nothing: the manager answers again.',
    },
  ],
  'breaker-refused': [
    {
      event: { kind: 'breaker-refused', method: LIST },
      means: 'An attempt was not made, because the breaker of its method is open.',
    },
  ],
  'retry-scheduled': [
    {
      event: { kind: 'retry-scheduled', method: LIST, attempt: 2, delayMs: 480 },
      means: 'A read is tried once more after a fault that may pass.',
    },
  ],
  'retry-refused': [
    {
      event: { kind: 'retry-refused', method: LIST, reason: 'budget' },
      means: 'It is not: `retry.budget` is used up, or the time is.',
    },
  ],
  'manager-overloaded': [
    {
      event: { kind: 'manager-overloaded', method: LIST },
      todo: 'More calls at once than `managers.maxInFlight`. Nearly always the manager is slow: look at `manager_response_seconds`. Raise the limit (no restart) only if the manager has room.',
    },
  ],
  'address-state-changed': [
    {
      event: {
        kind: 'address-state-changed',
        ...FIRST,
        from: 'healthy',
        to: 'failed',
        detail: 'no answer within 10000 ms',
      },
      todo: `This address, or the database behind it, does not answer: \`manager-gateway doctor\`. Other addresses take over; without any, ${SERVED.charAt(0).toLowerCase()}${SERVED.slice(1)}`,
    },
    {
      event: {
        kind: 'address-state-changed',
        ...FIRST,
        from: 'healthy',
        to: 'slow',
        detail: 'no answer for 2000 ms',
      },
      todo: "A probe takes longer than `managers.probe.slow`: the manager's database is slow, or its Redis hangs (then each answer takes 3 to 9 s). It is passed over while another address is faster.",
    },
    {
      event: {
        kind: 'address-state-changed',
        ...FIRST,
        from: 'failed',
        to: 'healthy',
        detail: 'record not found',
      },
      todo: 'Nothing: it is back.',
    },
  ],
  'resolve-failed': [
    {
      event: {
        kind: 'resolve-failed',
        manager: '0',
        address: 'manager:65003',
        detail: 'getaddrinfo ENOTFOUND manager',
      },
      todo: "A wrong name in `managers.addrs`, or the cluster's DNS. Addresses that were known stay in use.",
    },
  ],
  'channel-created': [
    { event: { kind: 'channel-created', ...FIRST, reason: 'start' }, todo: 'Nothing.' },
    {
      event: { kind: 'channel-created', ...FIRST, reason: 'connect-timeout' },
      todo: 'In place of one that did not connect within `managers.connectTimeout`. Packets get lost (a firewall, a NetworkPolicy, an address that is no more): a closed port would have said so at once.',
    },
    {
      event: { kind: 'channel-created', ...FIRST, reason: 'unresponsive' },
      todo: 'In place of one that said nothing any more. Now and then: nothing. Often: a NAT or load balancer between here and the manager forgets connections.',
    },
    {
      event: { kind: 'channel-created', ...FIRST, reason: 'address-changed' },
      todo: 'Nothing: the name has another address, or `managers.addrs` was changed.',
    },
  ],
  'channel-closed': [
    {
      event: { kind: 'channel-closed', ...FIRST, reason: 'address-changed' },
      todo: 'See `channel-created`, which has the same reasons; `shutdown`: the gateway stops.',
    },
  ],
  'probe-finished': [
    {
      event: {
        kind: 'probe-finished',
        ...FIRST,
        state: 'healthy',
        latencyMs: 2,
        detail: 'record not found',
      },
      todo: 'Nothing. "record not found" is health: the probe asks for a node that does not exist, because that reaches the database.',
    },
  ],
} satisfies Explanations<ManagerEvent['kind']>;
