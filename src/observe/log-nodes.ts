import type { NodeEndReason, NodeEvent, ReopenReason } from './events.js';
import type { LogLine, Of } from './log-line.js';

type Told = Exclude<NodeEvent, Of<'node-looked-at' | 'node-registered-again'>>;

/** What is said of nodes and their streams at the manager. Which node it was, `/api/nodes` tells. */
export function aboutNode(event: Told): LogLine {
  switch (event.kind) {
    case 'node-opened': {
      const { kind, node, manager } = event;
      return {
        level: 'debug',
        msg: `a ${WORD[node]} is kept active`,
        fields: { event: kind, node, manager },
        repeatKey: `${kind} ${node}`,
      };
    }
    case 'node-reopened': {
      const { kind, node, manager, reason, detail } = event;
      const gapMs = Math.round(event.gapMs);
      return {
        level: 'info',
        msg: `the stream of a ${WORD[node]} at the manager was opened again after ${gapMs} ms: ${REOPENED[reason]}${inWords(detail)}`,
        fields: { event: kind, node, manager, reason, gapMs },
        repeatKey: `${kind} ${node} ${reason}`,
      };
    }
    case 'node-ended': {
      const { kind, node, reason, detail } = event;
      return {
        level: reason === 'lost' || reason === 'silent' ? 'warn' : 'info',
        msg: `the stream of a ${WORD[node]} at the manager was ended: ${ENDED[reason]}${inWords(detail)}`,
        fields: { event: kind, node, reason },
        repeatKey: `${kind} ${node} ${reason}`,
      };
    }
    case 'node-unshielded':
      return {
        level: 'error',
        msg: 'there are more nodes than can be kept active; one more stream is forwarded as it is',
        fields: { event: event.kind, errorClass: 'permanent' },
        repeatKey: event.kind,
      };
    case 'openings-lowered': {
      const perSecond = Math.round(event.perSecond);
      return {
        level: 'warn',
        msg: `the manager asks for less: streams are opened again at ${perSecond} a second`,
        fields: { event: event.kind, perSecond, errorClass: 'backpressure' },
        repeatKey: event.kind,
      };
    }
    case 'node-disputed': {
      const { kind, node, says } = event;
      const msg = `the manager ${SAYS[says]} a ${WORD[node]} that is alive here`;
      return {
        level: 'warn',
        msg,
        fields: { event: kind, node, says },
        repeatKey: `${kind} ${node} ${says}`,
      };
    }
    case 'node-settled': {
      const { kind, node } = event;
      const disputedMs = Math.round(event.disputedMs);
      const msg = `a ${WORD[node]} is active at the manager again, ${disputedMs} ms after it was seen not to be`;
      return { level: 'info', msg, fields: { event: kind, node, disputedMs }, repeatKey: `${kind} ${node}` };
    }
    default:
      return event satisfies never;
  }
}

function inWords(detail: string): string {
  return detail === '' ? '' : ` (${detail})`;
}

const WORD = { scheduler: 'scheduler', 'seed-peer': 'seed peer' } as const;

const SAYS = { inactive: 'takes for inactive', gone: 'does not know' } as const;

const REOPENED: Readonly<Record<ReopenReason, string>> = {
  'link-broken': 'its connection was lost',
  leaving: 'its connection was about to close',
  mute: 'its connection said nothing any more',
  'manager-error': 'the manager failed it',
  registered: 'the manager did not know the node, and does again',
  inactive: 'the manager took the node for inactive',
  reassert: 'a replica that was late had ended one of its streams',
  'taken-over': 'it was another replica’s',
  awake: 'the node beats again',
};

const ENDED: Readonly<Record<NodeEndReason, string>> = {
  left: 'the node has left',
  lost: 'its connection was lost, and it has not come back within keepAlive.grace',
  silent: 'it has missed three of its beats',
  answered: 'the manager ended it, and the node was told so',
  yielded: 'another replica has taken it',
  forgotten: 'the operator said so',
  stopping: 'the gateway is stopping',
};
