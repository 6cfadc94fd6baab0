import type { GatewayEvent } from './events.js';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** One line of the log. `fields` hold what a machine filters by; `msg` is for the person who is woken. */
export interface LogLine {
  readonly level: LogLevel;
  readonly msg: string;
  readonly fields: Readonly<Record<string, string | number | boolean | readonly string[]>>;
  /** Lines alike in this are summarised instead of repeated; undefined: each one is news. */
  readonly repeatKey?: string;
  /** For `err`, with its stack. */
  readonly error?: unknown;
}

/** The events of one kind, or of several. */
export type Of<K extends GatewayEvent['kind']> = Extract<GatewayEvent, { kind: K }>;
