import { type ClientRule, METHOD_GROUPS } from '../config/client-rule.js';
import type { CertificateNames } from '../rpc/client.js';
import { type Matcher, matcherOf } from './matches.js';

/** A rule of the configuration, ready to be asked. */
export interface Rule {
  readonly name: string;
  readonly onlyItself: boolean;
  isFor(names: CertificateNames | undefined): boolean;
  /** `known`: the method is one of the table. */
  allows(path: string, known: boolean): boolean;
}

export function ruleOf({ name, certificates, methods, onlyItself }: ClientRule): Rule {
  const matchers: readonly Matcher[] = certificates.map(matcherOf);
  const everything = methods.includes('everything');
  const groups = Object.entries(METHOD_GROUPS).filter(([group]) => methods.includes(group));
  const names = new Set<string>([...groups.flatMap(([, members]) => members), ...methods]);
  const services = methods.filter((method) => method.endsWith('/*')).map((method) => method.slice(0, -1));
  return {
    name,
    onlyItself,
    isFor: (certificate) => matchers.some((matches) => matches(certificate)),
    allows(path, known) {
      if (names.has(path) || services.some((service) => isOf(service, path))) return true;
      if (known) return everything || names.has(path.slice(path.lastIndexOf('/') + 1));
      // Whom an unknown method is about nobody can tell.
      return everything && !onlyItself;
    },
  };
}

/** `service` ends in "/". */
function isOf(service: string, path: string): boolean {
  return path.startsWith(service) && !path.includes('/', service.length);
}
