import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { defaultConfig } from '../../src/config/defaults.js';
import { parseDuration } from '../../src/config/durations.js';

const UNITS = ['manager-gateway.service', 'manager-gateway-simulator.service'] as const;
/** Of 100: what systemd itself calls OK ends at 30 or so, and a service without any hardening has 96. */
const EXPOSURE = 15;

const dir = mkdtempSync(join(tmpdir(), 'systemd-'));
const analyze = (...args: readonly string[]) => spawnSync('systemd-analyze', args, { encoding: 'utf8' });
const source = (unit: string): string => readFileSync(join('deploy/systemd', unit), 'utf8');

/** A setting of a unit; the last one holds. */
function setting(unit: string, name: string): string | undefined {
  return [...source(unit).matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].at(-1)?.[1];
}

// Needs Debian's systemd, but no systemd that runs.
beforeAll(() => {
  for (const unit of UNITS)
    writeFileSync(join(dir, unit), source(unit).replaceAll('/usr/bin/node', process.execPath));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe.each(UNITS)('%s', (unit) => {
  it('is what systemd takes without a word', () => {
    const { status, stdout, stderr } = analyze('verify', '--man=no', join(dir, unit));
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  it('leaves little open, as systemd reckons', () => {
    const { status, stdout } = analyze(
      'security',
      '--offline=true',
      `--threshold=${EXPOSURE}`,
      join(dir, unit),
    );
    expect([status, /Overall exposure level[^\n]*/.exec(stdout)?.[0]]).toEqual([
      0,
      expect.stringContaining('OK'),
    ]);
  });

  it('lets V8 make code, which it could not start without', () => {
    expect(setting(unit, 'MemoryDenyWriteExecute')).toBeUndefined();
  });
});

it('systemd would say so of a unit with a word that it does not know, and of one that leaves everything open', () => {
  const wrong = join(dir, 'wrong.service');
  writeFileSync(wrong, `[Service]\nExecStart=${process.execPath}\nProtectsystem=strict\n`);
  expect(analyze('verify', '--man=no', wrong).stderr).toMatch(/Unknown key/);
  expect(analyze('security', '--offline=true', `--threshold=${EXPOSURE}`, wrong).status).not.toBe(0);
});

it('the gateway has the time to drain, a descriptor for each connection twice over, and its directory', () => {
  const { server, snapshot } = defaultConfig();
  const [unit] = UNITS;
  expect(parseDuration(setting(unit, 'TimeoutStopSec') ?? '')).toBeGreaterThan(server.drainTimeoutMs);
  expect(Number(setting(unit, 'LimitNOFILE'))).toBeGreaterThanOrEqual(2 * server.maxConnections);
  expect(`/var/lib/${setting(unit, 'StateDirectory')}`).toBe(snapshot.dir);
});

it.each(UNITS)('%s starts what this package has', (unit) => {
  const [node, main, ...args] = (setting(unit, 'ExecStart') ?? '').split(' ');
  expect([node, main]).toEqual(['/usr/bin/node', '/opt/manager-gateway/dist/main.js']);
  const [command = '', ...flags] = args;
  const { stdout } = spawnSync(process.execPath, ['dist/main.js', command, '--help'], { encoding: 'utf8' });
  for (const flag of flags.filter((word) => word.startsWith('--'))) expect(stdout).toContain(flag);
});
