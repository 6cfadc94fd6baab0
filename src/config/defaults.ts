import type { Config } from './config.js';
import { loadConfig } from './load.js';

/** The configuration of an empty file. */
export function defaultConfig(): Config {
  return loadConfig({ text: '', env: {}, sets: [] });
}
