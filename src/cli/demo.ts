import { monitorEventLoopDelay } from 'node:perf_hooks';
import { defaultConfig } from '../config/defaults.js';
import { systemClock } from '../rpc/clock.js';
import { Life } from '../simulator/fleet/life.js';
import type { SideFigures } from './demo/figures.js';
import { wrap } from './demo/format.js';
import { announcement } from './demo/live.js';
import { createPaint, type Paint } from './demo/paint.js';
import { play } from './demo/play.js';
import { tableRows } from './demo/rows.js';
import { type Output, Screen } from './demo/screen.js';
import { TIME_FACTOR } from './demo/script.js';
import { Side } from './demo/side.js';
import { renderConditions, renderTable } from './demo/table.js';
import { type Condition, judge } from './demo/verdict.js';

export interface DemoOptions {
  readonly stdout: Output;
  readonly isTty: boolean;
  /** Nothing but one JSON object at the end. */
  readonly json?: boolean;
  /** The same seed makes the same fleet on both sides. */
  readonly seed: number;
}

/** Fleets that stand still for longer than this miss deadlines which they would keep in reality. */
const WORTH_SAYING_MS = 250;

interface Seen {
  readonly direct: SideFigures;
  readonly gateway: SideFigures;
}

/**
 * Plays the incident, direct and through the gateway at the same time, each in front of a manager of its own.
 * Resolves with the exit code: 0 if the gateway's column holds, 1 if not, 130 after Ctrl-C, 143 after SIGTERM.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const paint = createPaint(options.isTty, process.env);
  const screen = new Screen(options.stdout, { isTty: options.isTty, paint });
  const life = new Life(systemClock);
  const interruption = catchSignals(life, screen);
  try {
    if (!options.json) screen.lines([...wrap(announcement(TIME_FACTOR), screen.width), '']);
    const { seen, stalledMs } = await playBoth(options, screen, life).catch((error: unknown) => {
      // Ctrl-C ends what is just being started, too; that is not a failure of its own.
      if (interruption.code === undefined) throw error;
      return NOTHING_PLAYED;
    });
    screen.close();
    const conditions = seen ? judge(seen.direct, seen.gateway, limits()) : [];
    const code = interruption.code;
    if (options.json) options.stdout.write(`${asJson(options.seed, seen, conditions, code)}\n`);
    else screen.lines(conclusion(seen, conditions, { code, stalledMs, width: screen.width, paint }));
    return code ?? (conditions.every(({ holds }) => holds) ? 0 : 1);
  } finally {
    screen.close();
    interruption.release();
  }
}

type Played = {
  /** What was seen last; undefined if it was interrupted before there was anything to see. */
  readonly seen: Seen | undefined;
  /** For how long this process stood still at the most, ms. */
  readonly stalledMs: number;
};

const NOTHING_PLAYED: Played = { seen: undefined, stalledMs: 0 };

async function playBoth({ json, seed }: DemoOptions, screen: Screen, life: Life): Promise<Played> {
  const sides: Side[] = [];
  const stalls = monitorEventLoopDelay();
  let seen: Seen | undefined;
  try {
    const [direct, gateway] = await startBoth(seed, sides);
    stalls.enable();
    await play({
      direct,
      gateway,
      life,
      nowMs: () => systemClock.nowMs(),
      onMoment(moment, important) {
        seen = moment;
        if (!json) screen.show(moment, important);
      },
    });
    return { seen, stalledMs: stalls.max / 1e6 };
  } finally {
    stalls.disable();
    await Promise.all(sides.map((side) => side.stop()));
  }
}

/** Whatever has started is in `sides`, for whoever has to stop it. */
async function startBoth(seed: number, sides: Side[]): Promise<[Side, Side]> {
  const start = async (name: 'direct' | 'gateway'): Promise<Side> => {
    const side = await Side.start(name, seed);
    sides.push(side);
    return side;
  };
  const [direct, gateway] = await Promise.allSettled([start('direct'), start('gateway')]);
  if (direct.status === 'rejected') throw direct.reason;
  if (gateway.status === 'rejected') throw gateway.reason;
  return [direct.value, gateway.value];
}

/** The first signal ends the play, a second one the process. */
function catchSignals(life: Life, screen: Screen): { readonly code: number | undefined; release(): void } {
  let code: number | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    const signalCode = signal === 'SIGINT' ? 130 : 143;
    if (code !== undefined) {
      screen.close();
      process.exit(signalCode);
    }
    code = signalCode;
    life.end();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    get code() {
      return code;
    },
    release() {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}

function limits(): { connections: number; timeFactor: number } {
  // The demo's gateway has one manager and the default number of channels.
  return { connections: defaultConfig().managers.channelsPerAddr, timeFactor: TIME_FACTOR };
}

type Ending = {
  readonly code: number | undefined;
  readonly stalledMs: number;
  readonly width: number;
  readonly paint: Paint;
};

function conclusion(seen: Seen | undefined, conditions: readonly Condition[], ending: Ending): string[] {
  const { code, stalledMs, width, paint } = ending;
  if (!seen) return ['', 'Interrupted before anything could be seen.'];
  const table = ['', ...renderTable(tableRows(seen.direct, seen.gateway, TIME_FACTOR), width, paint), ''];
  if (code !== undefined) return [...table, 'Interrupted: these are the figures until then.'];
  const holds = conditions.every((condition) => condition.holds);
  const verdict = holds
    ? paint('green', "The gateway's column holds.")
    : paint('red', "The gateway's column does not hold.");
  const stall = `This machine was busy: both fleets stood still for up to ${Math.round(stalledMs)} ms, which is ten times as much in their time, and may have missed deadlines for it.`;
  const remarks = stalledMs > WORTH_SAYING_MS ? [stall] : [];
  return [
    ...table,
    ...renderConditions(conditions, width, paint),
    ...remarks.flatMap((remark) => ['', ...wrap(remark, width)]),
    '',
    verdict,
  ];
}

function asJson(
  seed: number,
  seen: Seen | undefined,
  conditions: readonly Condition[],
  code: number | undefined,
): string {
  const holds =
    code === undefined && conditions.length > 0 && conditions.every((condition) => condition.holds);
  const figures = seen && { direct: seen.direct, gateway: seen.gateway };
  return JSON.stringify({
    seed,
    timeFactor: TIME_FACTOR,
    interrupted: code !== undefined,
    holds,
    conditions,
    ...figures,
  });
}
