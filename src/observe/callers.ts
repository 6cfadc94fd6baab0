import { LRUCache } from 'lru-cache';
import type { Clock } from '../rpc/clock.js';

/** One address that connects here, for people: what comes from it is not believed to be one node (NAT, sidecars). */
export interface CallerView {
  readonly address: string;
  /** The first word of its user agent, e.g. "grpc-go/1.64.0"; "" as long as it has made no call. */
  readonly kind: string;
  readonly open: number;
  readonly openedTotal: number;
  /** Over the last minutes, the present weighing most. */
  readonly connectionsPerMinute: number;
  /** The middle of all of its kind. */
  readonly usualPerMinute: number;
  /** Opens connections again and again instead of keeping them. */
  readonly churns: boolean;
  /** Monotonic ms. */
  readonly lastOpenedAtMs: number;
}

/** One connection. */
export interface CallerConnection {
  /** A call came over it. */
  spoke(userAgent: string): void;
  closed(): void;
}

export interface Callers {
  opened(address: string): CallerConnection;
  /** The churners first, then by their rate. */
  list(): readonly CallerView[];
}

/** Bounded: the address that connected longest ago is forgotten. */
const MAX_CALLERS = 4_096;
/** A rate forgets: what was this long ago counts 1/e. */
const MEMORY_MS = 120_000;
/** Fewer than this in a minute is no churn: a Rust daemon opens two at its start. The incident's daemons opened six, which their rate here reaches only slowly. */
const CHURN_PER_MINUTE = 4;
/** Nor is what comes from behind a NAT, where many keep what they have opened. */
const CHURN_TURNOVER = 2;
const KIND_LENGTH = 64;

type Caller = { kind: string; open: number; openedTotal: number; weight: number; lastOpenedAtMs: number };

export function createCallers({ clock }: { clock: Clock }): Callers {
  const callers = new LRUCache<string, Caller>({ max: MAX_CALLERS });

  const faded = ({ weight, lastOpenedAtMs }: Caller, nowMs: number): number =>
    weight * Math.exp(-(nowMs - lastOpenedAtMs) / MEMORY_MS);

  return {
    opened(address) {
      const nowMs = clock.nowMs();
      const caller = callers.get(address) ?? {
        kind: '',
        open: 0,
        openedTotal: 0,
        weight: 0,
        lastOpenedAtMs: nowMs,
      };
      caller.weight = faded(caller, nowMs) + 1;
      caller.lastOpenedAtMs = nowMs;
      caller.open++;
      caller.openedTotal++;
      callers.set(address, caller);
      let isOpen = true;
      return {
        spoke(userAgent) {
          const [kind = ''] = userAgent.split(' ', 1);
          if (kind !== '') caller.kind = kind.slice(0, KIND_LENGTH);
        },
        closed() {
          if (isOpen) caller.open--;
          isOpen = false;
        },
      };
    },
    list() {
      const nowMs = clock.nowMs();
      const rated = [...callers.entries()].map(([address, caller]) => ({
        address,
        caller,
        perMinute: faded(caller, nowMs) * (60_000 / MEMORY_MS),
      }));
      const usual = mediansByKind(rated.map(({ caller, perMinute }) => ({ kind: caller.kind, perMinute })));
      return rated
        .map(
          ({ address, caller, perMinute }): CallerView => ({
            address,
            kind: caller.kind,
            open: caller.open,
            openedTotal: caller.openedTotal,
            connectionsPerMinute: perMinute,
            usualPerMinute: usual.get(caller.kind) ?? 0,
            churns: perMinute >= CHURN_PER_MINUTE && perMinute >= CHURN_TURNOVER * Math.max(1, caller.open),
            lastOpenedAtMs: caller.lastOpenedAtMs,
          }),
        )
        .sort(
          (one, other) =>
            Number(other.churns) - Number(one.churns) ||
            other.connectionsPerMinute - one.connectionsPerMinute,
        );
    },
  };
}

function mediansByKind(
  rated: readonly { readonly kind: string; readonly perMinute: number }[],
): Map<string, number> {
  const byKind = new Map<string, number[]>();
  for (const { kind, perMinute } of rated) {
    const rates = byKind.get(kind);
    if (rates === undefined) byKind.set(kind, [perMinute]);
    else rates.push(perMinute);
  }
  return new Map([...byKind].map(([kind, rates]) => [kind, medianOf(rates)]));
}

function medianOf(rates: readonly number[]): number {
  return rates.toSorted((one, other) => one - other)[Math.floor(rates.length / 2)] ?? 0;
}
