import type { Counter } from 'prom-client';

type MakeCounter = <T extends string>(name: string, help: string, labelNames: readonly T[]) => Counter<T>;

/** The series of the warm-up and of the ramp at a manager's return, made before the first event. */
export function warmupSeries(counter: MakeCounter) {
  const heldBack = counter(
    'reads_held_back_total',
    'Reads answered from what is remembered because a manager that is back is asked step by step.',
    ['method'],
  );
  const paceChanges = counter('pace_changes_total', 'Changes of the pace at which managers are asked.', [
    'to',
  ]);
  const paceLowered = counter('pace_lowered_total', 'Times the manager asked for less during a ramp.', []);
  const warmed = counter('warmed_total', 'Answers asked for ahead of their callers, by result.', ['result']);
  for (const to of ['idle', 'away', 'ramp']) paceChanges.inc({ to }, 0);
  for (const result of ['refreshed', 'failed']) warmed.inc({ result }, 0);
  paceLowered.inc(0);
  return { heldBack, paceChanges, paceLowered, warmed };
}
