import type { Random } from '../../../../src/simulator/fleet/random.js';
import type { Fault as ManagerFault } from '../../../../src/simulator/manager/fault.js';
import { type Fault, oneOf, type Scene, someOf } from './fault.js';

const both = ({ managers }: Scene): number[] => managers.addresses.map((_, index) => index);

function some(scene: Scene, random: Random): readonly number[] {
  const struck = someOf(both(scene), random);
  scene.struck(struck.map((one) => `manager-${one}`));
  return struck;
}

/** Of one manager, or of both. */
const FAULTS: readonly ManagerFault[] = [
  { kind: 'frozen' },
  { kind: 'slow', delayMs: 800 },
  { kind: 'database-dead' },
  { kind: 'database-frozen' },
  { kind: 'too-many-connections' },
  { kind: 'redis-frozen', delayMs: 1_500 },
  { kind: 'redis-dead', delayMs: 300 },
  { kind: 'rate-limited', callsPerSecond: 0 },
  { kind: 'rate-limited', callsPerSecond: 2 },
];

const REFUSING: ReadonlySet<ManagerFault['kind']> = new Set(['database-dead', 'too-many-connections']);

export const MANAGER_FAULTS: readonly Fault[] = [
  ...FAULTS.map(boardFault),
  {
    name: 'manager: empty lists',
    async begin({ managers, ...scene }) {
      // With one of two the lists would come and go.
      const fault = { kind: 'empty-lists' } as const;
      const hurt = both({ managers, ...scene });
      await Promise.all(hurt.map((one) => managers.fault(one, fault)));
      return async () => void (await Promise.all(hurt.map((one) => managers.clear(one, fault.kind))));
    },
  },
  {
    name: 'manager: connections have aged',
    async begin({ managers }) {
      for (const one of managers.addresses.keys()) await managers.fault(one, { kind: 'connection-age' });
      return async () => undefined;
    },
  },
  {
    name: 'manager: killed',
    losesWrites: true,
    async begin(scene, random) {
      const hurt = some(scene, random);
      await Promise.all(hurt.map((one) => scene.managers.stop(one)));
      return async () => void (await Promise.all(hurt.map((one) => scene.managers.restart(one))));
    },
  },
  {
    name: 'managers and their database: frozen',
    async begin({ managers }) {
      managers.freeze();
      return async () => managers.thaw();
    },
  },
  {
    name: 'manager: a row deleted',
    async begin(scene, random) {
      const node = oneOf(scene.livingNodes(), random);
      scene.struck([node.hostname]);
      scene.rowDeleted(node);
      await scene.managers.deleteRow(node);
      return async () => undefined;
    },
  },
];

function boardFault(fault: ManagerFault): Fault {
  const detail = 'callsPerSecond' in fault ? ` to ${fault.callsPerSecond}` : '';
  return {
    name: `manager: ${fault.kind}${detail}`,
    losesWrites: REFUSING.has(fault.kind),
    async begin(scene, random) {
      const hurt = some(scene, random);
      await Promise.all(hurt.map((one) => scene.managers.fault(one, fault)));
      return async () => void (await Promise.all(hurt.map((one) => scene.managers.clear(one, fault.kind))));
    },
  };
}
