import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { parse } from 'yaml';

/** What is wrong with a command that cannot be run where tests run; undefined: nothing that can be told. */
export type Check = (words: readonly string[]) => string | undefined;

const CHART = 'deploy/helm/dragonfly-manager-gateway';
/** The chart gives things this name when the release is called as on the pages. */
const RELEASE = 'manager-gateway-dragonfly-manager-gateway';
const KUBECTL = ['apply', 'delete', 'describe', 'exec', 'get', 'logs', 'port-forward', 'rollout', 'scale'];
const COMPOSE = ['config', 'down', 'exec', 'logs', 'ps', 'pull', 'restart', 'stop', 'up'];
const SYSTEMCTL = ['daemon-reload', 'disable', 'enable', 'reload', 'restart', 'start', 'status', 'stop'];

/** By program. Nobody's cluster, engine, init system or package manager is at hand in a test. */
export const CHECKS: Readonly<Record<string, Check>> = {
  npm: (words) =>
    words.map((word, at) => (word === 'run' ? noScript(words.slice(at + 1)) : undefined)).find(Boolean),
  './test/run': (words) => flagsOf('test/run', words),
  '.ci/run': (words) => (words.length === 1 ? undefined : 'it takes nothing'),
  docker,
  helm,
  kubectl,
  systemctl: (words) => oneOf(SYSTEMCTL, words.slice(1)) ?? unknownUnit(words),
  journalctl: unknownUnit,
  kill: ([, signal = '']) => {
    const name = signal.replace(/^-(?:SIG)?/, 'SIG');
    return signal === '-9' || name in constants.signals ? undefined : `${signal} is no signal`;
  },
  apt: (words) => oneOf(['install', 'update'], words.slice(1)),
  install: missingFiles,
  cp: missingFiles,
  useradd: () => undefined,
  cosign: (words) => oneOf(['verify'], words.slice(1)),
};

function noScript(words: readonly string[]): string | undefined {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  const name = words.find((word) => !word.startsWith('-')) ?? '';
  return name in scripts ? undefined : `package.json has no script "${name}"`;
}

function flagsOf(file: string, [, ...flags]: readonly string[]): string | undefined {
  const text = readFileSync(file, 'utf8');
  return flags
    .map((flag) => (text.includes(`${flag})`) ? undefined : `${file} has no ${flag}`))
    .find(Boolean);
}

function docker(words: readonly string[]): string | undefined {
  const [, verb, ...rest] = words;
  switch (verb) {
    case 'build':
      return rest.at(-1) === '.' && existsSync('Dockerfile') ? undefined : 'the Dockerfile is in .';
    case 'compose': {
      const file = rest[rest.indexOf('-f') + 1] ?? rest[rest.indexOf('--file') + 1] ?? '';
      if (!rest.includes('-f') && !rest.includes('--file')) return 'it names no file';
      return (
        missingFiles(['docker', file]) ??
        oneOf(
          COMPOSE,
          rest.filter((word) => word !== file && !word.startsWith('-')),
        )
      );
    }
    case 'pause':
    case 'run':
      return undefined;
    default:
      return `docker ${verb}: nobody checks that`;
  }
}

function helm(words: readonly string[]): string | undefined {
  const [, verb, ...rest] = words;
  if (verb === 'uninstall' || verb === 'rollback' || verb === 'history') return undefined;
  if (verb !== 'install' && verb !== 'upgrade' && verb !== 'template')
    return `helm ${verb}: nobody checks that`;
  const ours = rest.includes(CHART);
  // A chart of others has values that nobody here knows.
  if (!ours) return rest.some((word) => word.startsWith('deploy/')) ? 'it names another chart' : undefined;
  const values = parse(readFileSync(`${CHART}/values.yaml`, 'utf8')) as unknown;
  return settings(rest)
    .map((path) => (within(values, path.split('.')) ? undefined : `the chart has no value ${path}`))
    .find(Boolean);
}

function settings(words: readonly string[]): readonly string[] {
  return words
    .filter((_word, at) => words[at - 1] === '--set' || words[at - 1] === '--set-string')
    .map((set) => set.slice(0, set.indexOf('=')).replace(/\[\d+\]$/, ''));
}

/** `config` of the chart takes every key of the gateway. */
function within(value: unknown, path: readonly string[]): boolean {
  const [first = '', ...rest] = path;
  if (path.length === 0) return true;
  if (typeof value !== 'object' || value === null || !(first in value)) return false;
  return first === 'config' || within((value as Record<string, unknown>)[first], rest);
}

function kubectl(words: readonly string[]): string | undefined {
  const named = words.filter((word) =>
    /^(?:statefulset|deployment|service|svc|pod|pods|sts|deploy)\/./.test(word),
  );
  const other = named.find((word) => !word.slice(word.indexOf('/') + 1).startsWith(RELEASE));
  if (other !== undefined) return `${other} is not what the chart makes: ${RELEASE}`;
  const verb = words
    .slice(1)
    .filter((word, at, all) => !word.startsWith('-') && !/^(?:-n|--namespace)$/.test(all[at - 1] ?? ''));
  return oneOf(KUBECTL, verb);
}

function unknownUnit(words: readonly string[]): string | undefined {
  const known = existsSync('deploy/systemd')
    ? readdirSync('deploy/systemd').map((file) => file.replace(/\..*$/, ''))
    : [];
  const units = words.slice(1).filter((word) => /gateway/.test(word));
  const unknown = units.find((unit) => !known.includes(unit.replace(/\.(?:service|socket)$/, '')));
  return unknown === undefined ? undefined : `no unit ${unknown} in deploy/systemd`;
}

function missingFiles(words: readonly string[]): string | undefined {
  const missing = words.find((word) => /^(?:deploy|dist|docs|proto)\//.test(word) && !existsSync(word));
  return missing === undefined ? undefined : `${missing} is not there`;
}

function oneOf(allowed: readonly string[], words: readonly string[]): string | undefined {
  const [word = ''] = words;
  return allowed.includes(word) ? undefined : `found "${word}"; allowed: ${allowed.join(', ')}`;
}
