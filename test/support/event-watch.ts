import type { GatewayEvent } from '../../src/observe/events.js';

/** Keeps every event, and lets a test wait for one. */
export interface EventWatch {
  readonly events: GatewayEvent[];
  readonly subscriber: (event: GatewayEvent) => void;
  /** Resolves with the first event, past or to come, that `matches`. */
  seen(matches: (event: GatewayEvent) => boolean): Promise<GatewayEvent>;
}

export function watchEvents(): EventWatch {
  const events: GatewayEvent[] = [];
  const waiting = new Set<(event: GatewayEvent) => void>();
  return {
    events,
    subscriber(event) {
      events.push(event);
      for (const look of [...waiting]) look(event);
    },
    seen(matches) {
      const past = events.find(matches);
      if (past !== undefined) return Promise.resolve(past);
      return new Promise((resolve) => {
        const look = (event: GatewayEvent): void => {
          if (!matches(event)) return;
          waiting.delete(look);
          resolve(event);
        };
        waiting.add(look);
      });
    },
  };
}
