import type { Emit, GatewayEvent } from './events.js';

/** One emitter for many subscribers. A subscriber that throws is told of to `onError`, and harms nobody else. */
export function createBus(
  subscribers: readonly ((event: GatewayEvent) => void)[],
  onError: (error: unknown) => void,
): Emit {
  return (event) => {
    for (const subscriber of subscribers) {
      try {
        subscriber(event);
      } catch (error) {
        onError(error);
      }
    }
  };
}
