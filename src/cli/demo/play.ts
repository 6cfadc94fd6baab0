import type { Life } from '../../simulator/fleet/life.js';
import type { Moment } from './live.js';
import { type Phase, SCRIPT, TIME_FACTOR } from './script.js';
import type { Side } from './side.js';

const LOOK_INTERVAL_MS = 250;
/** Every so many looks are worth a line of their own where nothing can be drawn over. */
const LOOKS_PER_LINE = 20;

export interface Play {
  readonly direct: Side;
  readonly gateway: Side;
  readonly life: Life;
  readonly nowMs: () => number;
  readonly onMoment: (moment: Moment, important: boolean) => void;
}

/** Takes both sides through the script, phase by phase, at the same time. Returns when it is over, or the life is. */
export async function play(stage: Play): Promise<void> {
  const { direct, gateway, life } = stage;
  if (life.ended) return;
  direct.begin();
  gateway.begin();
  const lastsMs = SCRIPT.reduce((sum, phase) => sum + phase.lastsMs, 0);
  let beganMs = 0;
  for (const phase of SCRIPT) {
    if (life.ended) return;
    await Promise.all([direct.enter(phase), gateway.enter(phase)]);
    await playPhase(stage, phase, { beganMs, lastsMs });
    beganMs += phase.lastsMs;
  }
}

async function playPhase(
  stage: Play,
  phase: Phase,
  times: { beganMs: number; lastsMs: number },
): Promise<void> {
  const { direct, gateway, life, nowMs, onMoment } = stage;
  const startedMs = nowMs();
  const endsMs = startedMs + phase.lastsMs / TIME_FACTOR;
  for (let look = 1; ; look++) {
    if (!(await life.sleep(Math.min(LOOK_INTERVAL_MS, endsMs - nowMs())))) return;
    const [directFigures, gatewayFigures] = await Promise.all([direct.figures(), gateway.figures()]);
    const atMs = times.beganMs + Math.min(phase.lastsMs, (nowMs() - startedMs) * TIME_FACTOR);
    const over = nowMs() >= endsMs;
    const moment = { phase, atMs, lastsMs: times.lastsMs, direct: directFigures, gateway: gatewayFigures };
    onMoment(moment, over || look % LOOKS_PER_LINE === 0);
    if (over) return;
  }
}
