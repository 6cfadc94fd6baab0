import type { GatewayEvent } from '../events.js';
import type { Of } from '../log-line.js';

export type EventKind = GatewayEvent['kind'];

/** One thing that an event may be about, and a sample of it. */
export type Explained<K extends EventKind> =
  /** It leaves a line. `todo`: for who is woken by it, in Markdown. */
  | { readonly event: Of<K>; readonly todo: string }
  /** It leaves none. `means`: what has happened. */
  | { readonly event: Of<K>; readonly means: string };

/** By kind, at least one sample of each: an event that is added without its explanation does not compile. */
export type Explanations<K extends EventKind> = {
  readonly [One in K]: readonly [Explained<One>, ...Explained<One>[]];
};
