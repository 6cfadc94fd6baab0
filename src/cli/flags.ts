import { existsSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../config/durations.js';
import { GatewayError } from '../errors.js';

export const DEFAULT_CONFIG = '/etc/dragonfly/manager-gateway.yaml';

export function durationOf(flag: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw wrongFlag(flag, text, error, 'duration such as 30s or 2m');
  }
}

function wrongFlag(flag: string, text: string, error: unknown, allowed: string): GatewayError {
  const why = error instanceof Error ? error.message : String(error);
  return new GatewayError('config-invalid', `${flag}: found "${text}" (${why}); allowed: ${allowed}`);
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new InvalidArgumentError('Allowed: a whole number of up to nine digits.');
  return Number(text);
}

/** The file that was named, by flag or environment; else the default one if it is there, and else none: defaults. */
export function configFile(flag: string | undefined): { file?: string } {
  const named = flag || process.env.MANAGER_GATEWAY_CONFIG;
  if (named) return { file: named };
  return existsSync(DEFAULT_CONFIG) ? { file: DEFAULT_CONFIG } : {};
}
