import { METHODS } from './methods.js';
import type { NamePattern } from './name-pattern.js';

/** One of `server.clients.rules`, checked. */
export type ClientRule = {
  /** In the log, in metrics and in what a caller is told. */
  readonly name: string;
  /** Whose: a certificate that carries one of these. */
  readonly certificates: readonly NamePattern[];
  /** As written: groups, names of methods, paths, `/service/*`. */
  readonly methods: readonly string[];
  /** Whether writes must be about the node that the certificate names. */
  readonly onlyItself: boolean;
};

/** In metrics, the rule of what no rule allows; no rule may be named so. */
export const NO_RULE = 'none';

/** Methods by group, with both APIs; a test holds them against the table of methods. */
export const METHOD_GROUPS = {
  reads: METHODS,
  writes: ['UpdateScheduler', 'UpdateSeedPeer', 'DeleteSeedPeer'],
  'keep-alive': ['KeepAlive'],
} as const;

/** Known, and in no group but `everything`: what they do is neither. */
export const METHODS_ALONE = ['CreateModel', 'IssueCertificate'] as const;

export const METHOD_GROUP_NAMES: readonly string[] = [...Object.keys(METHOD_GROUPS), 'everything'];

export const METHOD_NAMES: readonly string[] = [...Object.values(METHOD_GROUPS).flat(), ...METHODS_ALONE];
