import { LRUCache } from 'lru-cache';
import { type ClientRule, NO_RULE } from '../config/client-rule.js';
import type { Route } from '../route/method-table.js';
import type { Call } from '../rpc/call.js';
import type { CertificateNames, Client } from '../rpc/client.js';
import { type Rule, ruleOf } from './rule.js';
import { refusalOf } from './words.js';

export type Verdict =
  | { readonly kind: 'allowed'; readonly rule: string }
  /** If it is about the node that the certificate names. */
  | { readonly kind: 'itself'; readonly rule: string }
  | { readonly kind: 'forbidden'; readonly rule: string; readonly detail: string };

/** A set of rules, and what was found out by it. With the next set it is all forgotten. */
export interface Book {
  readonly from: readonly ClientRule[];
  /** A certificate is looked at once for each connection and known method. */
  verdict(call: Call, route: Route | undefined): Verdict;
  /** True, once for each `client`, with the latest few thousand of them in mind. */
  isNews(client: string): boolean;
}

const MOST_TOLD = 4_096;
/** Where a connection does not say who it is: the rules find no certificate. */
const NOBODY: Client = { names: undefined };

export function bookOf(from: readonly ClientRule[]): Book {
  const rules = from.map(ruleOf);
  const verdicts = new WeakMap<Client, Map<string, Verdict>>();
  const told = new LRUCache<string, true>({ max: MOST_TOLD });
  const pageOf = (client: Client): Map<string, Verdict> => {
    const known = verdicts.get(client);
    if (known !== undefined) return known;
    const page = new Map<string, Verdict>();
    verdicts.set(client, page);
    return page;
  };
  return {
    from,
    verdict({ client = NOBODY, path }, route) {
      const page = pageOf(client);
      const before = page.get(path);
      if (before !== undefined) return before;
      const verdict = judge(rules, client.names, path, route);
      // Of the paths that nobody knows there is no end.
      if (route !== undefined) page.set(path, verdict);
      return verdict;
    },
    isNews(client) {
      const isNews = !told.has(client);
      told.set(client, true);
      return isNews;
    },
  };
}

function judge(
  rules: readonly Rule[],
  names: CertificateNames | undefined,
  path: string,
  route: Route | undefined,
): Verdict {
  const matching = rules.filter((rule) => rule.isFor(names));
  const allowing = matching.filter((rule) => rule.allows(path, route !== undefined));
  const saysWhom = route?.kind === 'write' || route?.kind === 'keep-alive';
  const whole = allowing.find((rule) => !(rule.onlyItself && saysWhom));
  if (whole !== undefined) return { kind: 'allowed', rule: whole.name };
  if (allowing[0] !== undefined) return { kind: 'itself', rule: allowing[0].name };
  const matched = matching.map(({ name }) => name);
  return { kind: 'forbidden', rule: NO_RULE, detail: refusalOf(path, names, matched) };
}
