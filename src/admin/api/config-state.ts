import type { GatewayEvent } from '../../observe/events.js';

/** What became of the configuration file since the start. */
export interface ConfigState {
  /** When what runs was read, for people. */
  readonly readAt: string;
  /** The last reading was refused, and what ran before goes on; null: it was taken. */
  readonly refused: { readonly at: string; readonly detail: string } | null;
  /** Changed since the start, and running as before until a restart. */
  readonly needRestart: readonly string[];
}

export interface ConfigWatch {
  readonly subscriber: (event: GatewayEvent) => void;
  state(): ConfigState;
}

export function createConfigWatch({ wallMs }: { wallMs: () => number }): ConfigWatch {
  const now = (): string => new Date(wallMs()).toISOString();
  let state: ConfigState = { readAt: now(), refused: null, needRestart: [] };
  return {
    subscriber(event) {
      switch (event.kind) {
        case 'config-reloaded':
          state = { readAt: now(), refused: null, needRestart: event.needRestart };
          return;
        case 'config-refused':
          state = { ...state, refused: { at: now(), detail: event.detail } };
          return;
        default:
          // The rest is about something else.
          return;
      }
    },
    state: () => state,
  };
}
