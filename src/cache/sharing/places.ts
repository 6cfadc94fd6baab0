import type { Place } from './asker.js';
import { newestOnly } from './newest.js';
import { foldCase } from './shared-question.js';

/** Places that a list is known of. A fleet has dozens; whoever makes up more pushes out the longest unused. */
const PLACES = 1_024;

/** How the manager's searcher weighs what two places have in common (its source: 0.25 for the idc, 0.14 for the location, by the fifth). */
const IDC_WEIGHT = 25;
const LOCATION_WEIGHT = 14;
const LOCATION_ELEMENTS = 5;

interface Given {
  readonly place: Place;
  readonly key: string;
  /** The clusters that it shows, with their scopes. */
  readonly world: string;
  readonly askedAtMs: number;
}

/** The newest list given to callers of each place: an idc and a location. */
export interface Places {
  add(given: Given): void;
  /**
   * Keys of the lists that show `world`: those that are not past first, of these the nearest to `place`, of equally
   * near ones the newest.
   */
  nearest(place: Place, world: string, isPast: (askedAtMs: number) => boolean): readonly string[];
}

export function createPlaces(): Places {
  const places = newestOnly<Given>(PLACES);
  return {
    add(given) {
      const name = JSON.stringify([foldCase(given.place.idc), foldCase(given.place.location)]);
      const last = places.get(name);
      if (last === undefined || given.askedAtMs >= last.askedAtMs) places.set(name, given);
    },
    nearest(place, world, isPast) {
      return [...places.values()]
        .filter((given) => given.world === world)
        .map(({ key, askedAtMs, place: other }) => ({
          key,
          askedAtMs,
          past: Number(isPast(askedAtMs)),
          near: nearness(place, other),
        }))
        .sort((a, b) => a.past - b.past || b.near - a.near || b.askedAtMs - a.askedAtMs)
        .map(({ key }) => key);
    },
  };
}

function nearness(one: Place, other: Place): number {
  const sameIdc = foldCase(one.idc) === foldCase(other.idc);
  return IDC_WEIGHT * Number(sameIdc) + LOCATION_WEIGHT * inCommon(one.location, other.location);
}

/** 0 to 1: all of the location, or a fifth for each leading element. */
function inCommon(one: string, other: string): number {
  const [given, wanted] = [foldCase(one).split('|'), foldCase(other).split('|')];
  if (foldCase(one) === foldCase(other)) return 1;
  const leading = given.slice(0, LOCATION_ELEMENTS);
  const firstOther = leading.findIndex((element, index) => element !== wanted[index]);
  return (firstOther === -1 ? leading.length : firstOther) / LOCATION_ELEMENTS;
}
