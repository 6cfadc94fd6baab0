import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';

/** What `deploy/compose/compose.yaml` says of a service, as far as it matters here. */
export interface ComposeService {
  readonly image: string;
  readonly command?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export const COMPOSE = 'deploy/compose/compose.yaml';

export function composeServices(): Readonly<Record<string, ComposeService>> {
  return (parse(readFileSync(COMPOSE, 'utf8')) as { services: Record<string, ComposeService> }).services;
}

/** Files and directories of the repository that a service is given, by where it sees them. */
export function mountsOf({ volumes = [] }: ComposeService): ReadonlyMap<string, string> {
  const bound = volumes.map((volume) => volume.split(':')).filter(([from = '']) => from.startsWith('.'));
  return new Map(bound.map(([from = '', to = '']) => [to, join(dirname(COMPOSE), from)]));
}

/** A text with the names and ports of services replaced by where they are on this machine. */
export function asOnThisMachine(text: string, places: Readonly<Record<string, string>>): string {
  return Object.entries(places).reduce((so, [name, place]) => so.replaceAll(name, place), text);
}
