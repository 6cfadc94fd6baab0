import type { Random } from './random.js';

export type MemberKind = 'rust-daemon' | 'go-daemon' | 'scheduler' | 'seed-peer';

/**
 * `known`: was there before the trouble began. `cold`: came up in the middle of it, under a name nobody had
 * heard of; counted apart, because without shared answers nobody can answer for it.
 */
export type Cohort = 'known' | 'cold';

/** Who a member of the fleet says it is. */
export interface Identity {
  readonly kind: MemberKind;
  readonly cohort: Cohort;
  readonly hostname: string;
  readonly ip: string;
  readonly idc: string;
  readonly location: string;
  readonly clusterId: number;
}

const IDCS = ['idc-a', 'idc-b', 'idc-c'] as const;
const LOCATIONS = ['asia|cn|hz', 'asia|cn|sh', 'europe|de|fra', 'america|us|va'] as const;

/**
 * The `number`th node of the fleet (0 to 65535): name and address its own, inside 127.0.0.0/8. `ownPlace`: idc and
 * location, too; else it is in one of twelve places.
 */
export function createIdentity(
  kind: MemberKind,
  number: number,
  options: { cohort: Cohort; random: Random; clusterId: number; ownPlace?: boolean },
): Identity {
  const { cohort, random, clusterId, ownPlace = false } = options;
  return {
    kind,
    cohort,
    hostname: `${kind}-${String(number).padStart(5, '0')}`,
    ip: `127.77.${number >> 8}.${number & 0xff}`,
    idc: ownPlace ? `idc-${number}` : pick(IDCS, random),
    location: ownPlace ? `nowhere|${number}` : pick(LOCATIONS, random),
    clusterId,
  };
}

function pick<T>(from: readonly [T, ...T[]] | readonly T[], random: Random): T {
  return from[Math.floor(random() * from.length)] as T;
}
