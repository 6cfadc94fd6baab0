import type { Config } from '../../src/config/config.js';
import { ConfigError } from '../../src/config/config-error.js';
import { type ConfigSources, loadConfig } from '../../src/config/load.js';

/** Loads a text alone, unless other sources are given. */
export function load(text: string, sources: Partial<ConfigSources> = {}): Config {
  return loadConfig({ text, file: 'g.yaml', env: {}, sets: [], ...sources });
}

/** The lines with which a configuration is refused; none: it was taken. */
export function refusals(text: string, sources: Partial<ConfigSources> = {}): string[] {
  try {
    load(text, sources);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
}
