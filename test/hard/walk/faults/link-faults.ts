import type { Cure, Link, Toxic } from '../stage/toxiproxy.js';
import type { Fault, Scene } from './fault.js';
import { someOf } from './fault.js';

type Ways = (scene: Scene) => readonly Link[];

const WAYS: Readonly<Record<string, Ways>> = {
  managers: ({ managerLinks }) => managerLinks.flat(),
  redis: ({ redis }) => redis.links,
  callers: ({ callerLinks }) => callerLinks,
  nodes: ({ nodeLinks }) => nodeLinks,
};

const TOXICS: Readonly<Record<string, Toxic>> = {
  latency: { type: 'latency', attributes: { latency: 200, jitter: 150 } },
  timeout: { type: 'timeout', attributes: { timeout: 0 } },
  reset: { type: 'reset_peer', attributes: { timeout: 0 } },
  slicing: { type: 'slicer', attributes: { average_size: 300, size_variation: 200, delay: 2_000 } },
};

/** Every kind of trouble on every kind of way: on one of its links, or on all. */
export const LINK_FAULTS: readonly Fault[] = Object.entries(WAYS).flatMap(([where, links]) => [
  ...Object.entries(TOXICS).map(([what, toxic]) =>
    onLinks(`${where}: ${what}`, links, (link) => link.poison(toxic)),
  ),
  onLinks(`${where}: cut`, links, (link) => link.cut()),
]);

function onLinks(name: string, links: Ways, hurt: (link: Link) => Promise<Cure>): Fault {
  return {
    name,
    async begin(scene, random) {
      const struck = someOf(links(scene), random);
      scene.struck(struck.map((link) => link.name));
      const cures = await Promise.all(struck.map(hurt));
      return async () => void (await Promise.all(cures.map((cure) => cure())));
    },
  };
}
