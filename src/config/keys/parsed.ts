import { z } from 'zod';
import {
  type ListenAddress,
  type ParsedManagerAddress,
  parseHostPort,
  parseListenAddress,
  parseManagerAddress,
} from '../addresses.js';
import { parseDuration } from '../durations.js';
import { describe } from './scalars.js';

const DURATION = 'duration such as 500ms, 1m30s or 72h';

/** A duration above zero, in ms: for intervals and deadlines, where zero would mean "always" or "never". */
export function duration(written: string, description: string) {
  const schema = durationFrom(Number.MIN_VALUE).prefault(written);
  return describe(schema, { description, allowed: `${DURATION}, above 0s`, written, literal: true });
}

/** A duration, in ms, that may be zero. */
export function durationOrZero(written: string, description: string) {
  const schema = durationFrom(0).prefault(written);
  return describe(schema, { description, allowed: `${DURATION}, or 0s`, written, literal: true });
}

/** A duration, in ms, that takes another key's value when it is not given. */
export function durationLike(otherKey: string, description: string) {
  return describe(durationFrom(0).optional(), {
    description,
    allowed: `${DURATION}, or 0s`,
    written: undefined,
    writtenNote: `as \`${otherKey}\``,
    literal: true,
  });
}

export function listenAddress(written: string, description: string) {
  const schema = parsedText<ListenAddress>(parseListenAddress).prefault(written);
  const allowed = 'host:port, [IPv6]:port or :port; port 0 takes any free one';
  return describe(schema, { description, allowed, written, literal: true });
}

export function managerAddresses(written: readonly string[], description: string) {
  const schema = z
    .array(parsedText<ParsedManagerAddress>(parseManagerAddress))
    .min(1)
    .prefault([...written]);
  const allowed =
    'list of at least one host:port, http://host:port, https://host:port or dns:///host:port; IPv6 in brackets';
  return describe(schema, { description, allowed, written });
}

export function hostPorts(description: string) {
  const address = z.string().superRefine((value, context) => {
    attempt(() => parseHostPort(value), context);
  });
  const schema = z.array(address).prefault([]);
  return describe(schema, { description, allowed: 'list of host:port; IPv6 in brackets', written: [] });
}

/** Names by which a server may be called. */
export function hostNames(description: string) {
  const name = z.string().superRefine((value, context) => {
    if (value === '*' || HOST_NAME.test(value)) return;
    context.addIssue({
      code: 'custom',
      message: 'it is no name, which is without a scheme and without a port',
    });
  });
  const allowed = 'list of names; `*.name` for all below one, `*` for any';
  return describe(z.array(name).prefault([]), { description, allowed, written: [] });
}

const HOST_NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*$/i;

/** Where spans are sent; "" for nowhere. A URL without a path means the path that OTLP has by default. */
export function otlpEndpoint(description: string) {
  const schema = parsedText(otlpUrl).prefault('');
  const allowed = 'http:// or https:// URL of an OTLP/HTTP receiver; without a path, /v1/traces';
  return describe(schema, { description, allowed, written: '', literal: true });
}

function otlpUrl(value: string): string {
  if (value === '') return '';
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw new Error('it is no http:// or https:// URL');
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
}

/** What every key in Redis begins with. */
export function keyPrefix(written: string, description: string) {
  const schema = parsedText(withoutBraces).prefault(written);
  return describe(schema, { description, allowed: 'text without { and }', written, literal: true });
}

/** Redis Cluster takes what stands in the first braces of a key for what its node is chosen by; that is to be the fleet's id. */
function withoutBraces(value: string): string {
  if (/[{}]/.test(value)) throw new Error('the braces of a key are for fleet.id');
  return value;
}

function durationFrom(minMs: number) {
  // A bare 0 is a number in YAML, and Go takes "0" without a unit.
  return z.union([z.string(), z.literal(0)]).transform((value, context) =>
    attempt(() => {
      const durationMs = parseDuration(String(value));
      if (durationMs < minMs) throw new Error('it is not above zero');
      return durationMs;
    }, context),
  );
}

function parsedText<T>(parse: (value: string) => T) {
  return z.string().transform((value, context) => attempt(() => parse(value), context));
}

/** The parsers speak in Errors; zod collects issues, so that every problem is told at once. */
function attempt<T>(parse: () => T, context: z.core.$RefinementCtx): T {
  try {
    return parse();
  } catch (error) {
    context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : String(error) });
    return z.NEVER;
  }
}
