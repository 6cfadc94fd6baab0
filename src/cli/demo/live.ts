import type { SideFigures } from './figures.js';
import { clip, formatCount, formatDuration } from './format.js';
import type { Paint } from './paint.js';
import { FLEET, type Phase } from './script.js';

/** A moment of the play. Times in ms of simulated time. */
export interface Moment {
  readonly phase: Phase;
  readonly atMs: number;
  readonly lastsMs: number;
  readonly direct: SideFigures;
  readonly gateway: SideFigures;
}

const DAEMONS = FLEET.daemons + FLEET.goDaemons;

type Show = (side: SideFigures) => number | string;

const LIVE_ROWS: readonly (readonly [label: string, short: string, show: Show])[] = [
  ['calls answered', 'answered', ({ fleet }) => fleet.calls.known.answered + fleet.calls.cold.answered],
  ['calls failed', 'failed', ({ fleet }) => failures(fleet)],
  ['daemons without schedulers', 'lost', ({ fleet }) => fleet.daemonsWithoutSchedulers],
  ['daemon exits', 'exits', ({ fleet }) => fleet.daemonExits.known + fleet.daemonExits.cold],
  ['schedulers configured', 'configured', ({ fleet }) => `${fleet.schedulersConfigured}/${FLEET.schedulers}`],
  ['connections at the manager', 'connections', ({ manager }) => manager.connectionsOpen],
  ['calls at the manager', 'manager calls', ({ manager }) => manager.calls],
  ['active nodes', 'active', ({ manager }) => `${manager.nodesActive}/${manager.nodes}`],
];

/** The lines of the live picture, none longer than `width`. */
export function livePicture(moment: Moment, width: number, paint: Paint): string[] {
  const { phase, atMs, lastsMs } = moment;
  const clock = `${formatDuration(atMs)} of ${formatDuration(lastsMs)}`;
  const barWidth = Math.max(5, Math.min(50, width - clock.length - 4));
  const lines = [
    `${progressBar(atMs / lastsMs, barWidth)}  ${clip(clock, width)}`,
    `${paint(phase.name === 'calm' ? 'green' : 'yellow', phase.name)}${clip(`: ${phase.what}`, width - phase.name.length)}`,
    '',
    paint('bold', clip(`${''.padEnd(28)}${'direct'.padStart(10)}${'gateway'.padStart(10)}`, width)),
  ];
  for (const [label, , show] of LIVE_ROWS) {
    const [direct, gateway] = [cell(show(moment.direct)), cell(show(moment.gateway))];
    lines.push(clip(`${label.padEnd(28)}${direct.padStart(10)}${gateway.padStart(10)}`, width));
  }
  return lines;
}

/** The same as one line for each side, where nothing can be overwritten. */
export function plainLines({ phase, atMs, direct, gateway }: Moment): string[] {
  const line = (name: string, side: SideFigures): string => {
    const figures = LIVE_ROWS.map(([, short, show]) => `${short} ${cell(show(side))}`).join(', ');
    return `${formatDuration(atMs).padStart(8)}  ${phase.name}  ${name}: ${figures}`;
  };
  return [line('direct', direct), line('gateway', gateway)];
}

function progressBar(share: number, width: number): string {
  const full = Math.round(Math.min(1, Math.max(0, share)) * width);
  return `[${'#'.repeat(full)}${'.'.repeat(width - full)}]`;
}

function cell(shown: number | string): string {
  return typeof shown === 'number' ? formatCount(shown) : shown;
}

function failures({ calls }: SideFigures['fleet']): number {
  return calls.known.failed + calls.known.empty + calls.cold.failed + calls.cold.empty;
}

/** How the play is announced. */
export function announcement(timeFactor: number): string {
  return `${DAEMONS} daemons, ${FLEET.schedulers} schedulers and a seed peer, twice: in front of a manager directly, and through the gateway. Time runs ${timeFactor} times as fast; durations are shown in the fleet's time.`;
}
