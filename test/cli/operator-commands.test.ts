import { execFileSync, spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { runGateway } from '../support/gateway-process.js';
import { type RunningGateway, startGateway } from '../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const TOKEN = 'a-token-of-the-test';

let manager: SimulatedManager;
let running: RunningGateway;

beforeEach(async () => {
  manager = await startSimulatedManager();
  running = await startGateway({
    managers: [manager.address],
    sets: ['admin.enable=true', 'admin.addr=127.0.0.1:0', `admin.token=${TOKEN}`],
  });
  await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'healthy');
});
afterEach(async () => {
  await running.gateway.stop();
  await manager.stop();
});

/** The built command, with the gateway of this test as the one that runs. */
async function run(...args: readonly string[]) {
  const admin = `http://127.0.0.1:${running.bound.admin?.port}`;
  const child = runGateway([...args, '--admin', admin, '--set', `admin.token=${TOKEN}`]);
  const code = await child.exited;
  return {
    code,
    out: child.lines.map(({ text, ...rest }) => text ?? JSON.stringify(rest)).join('\n'),
    err: child.stderr(),
  };
}

async function remember(): Promise<void> {
  const caller = await connectCaller(running.address);
  await caller.call(LIST, requestOf(LIST, { hostname: 'a', ip: '127.0.0.2' }));
  await caller.close();
}

describe('manager-gateway status', () => {
  it('says how the gateway is, and ends with 0 when it is well, with 2 when it is bad', async () => {
    const well = await run('status');
    expect(well.code).toBe(0);
    expect(well.out).toMatch(/^All is well: the manager works\./);
    expect(well.out).toMatch(new RegExp(`manager +${manager.address} healthy, .* 2 of 2 channels ready`));
    await remember();
    await manager.stop();
    await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
    const bad = await run('status', '--json');
    expect(bad.code).toBe(2);
    expect(JSON.parse(bad.out)).toMatchObject({ health: 'bad', managers: [{ state: 'failed' }] });
  });

  it('says where it has looked when no gateway answers', async () => {
    const child = runGateway(['status', '--admin', 'http://127.0.0.1:1']);
    expect(await child.exited).toBe(1);
    expect(child.stderr()).toMatch(/^no gateway answers at http:\/\/127\.0\.0\.1:1 \(.*\); allowed: --admin/);
    const wrong = runGateway(['status', '--admin', 'nowhere']);
    expect(await wrong.exited).toBe(2);
    expect(wrong.stderr()).toBe('--admin: found "nowhere"; allowed: http://host:port\n');
  });
});

describe('manager-gateway purge', () => {
  it('forgets what is meant', async () => {
    await remember();
    expect(await run('purge', '--method', 'ListSchedulers')).toMatchObject({
      code: 0,
      out: '1 answer forgotten',
    });
    await remember();
    expect(await run('purge', '--all')).toMatchObject({ code: 0, out: '1 answer forgotten' });
  });

  it('guesses nothing', async () => {
    const neither = await run('purge');
    expect(neither).toMatchObject({
      code: 2,
      err: 'purge: found 0 of --method, --key and --all; allowed: one\n',
    });
    const nothing = await run('purge', '--method', 'ListSchedulers');
    expect(nothing.code).toBe(1);
    expect(nothing.err).toContain('404 nothing of that is remembered');
  });
});

describe('manager-gateway reload', () => {
  it('has the configuration read again, and says what came of it', async () => {
    // The gateway of this test has no other source than what it was started with.
    expect(await run('reload')).toMatchObject({ code: 0, out: 'nothing to apply' });
    expect(running.events).toContainEqual({ kind: 'config-reloaded', applied: [], needRestart: [] });
  });
});

describe('manager-gateway completion', () => {
  const script = (shell: string): string =>
    execFileSync(process.execPath, ['dist/main.js', 'completion', shell], { encoding: 'utf8' });

  it('makes bash complete commands and their options', () => {
    const complete = (...words: readonly string[]): string[] => {
      const typed = ['manager-gateway', ...words];
      const program = `${script('bash')}\nCOMP_WORDS=(${typed.map((word) => `'${word}'`).join(' ')})\nCOMP_CWORD=${words.length}\n_manager_gateway\necho "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).trim().split(' ');
    };
    expect(complete('do')).toEqual(['doctor']);
    expect(complete('status', '--j')).toEqual(['--json']);
    expect(complete('')).toEqual(
      expect.arrayContaining(['serve', 'doctor', 'status', 'purge', 'reload', 'export']),
    );
    expect(complete('doctor', '--config', 'package-l')).toEqual(['package-lock.json']);
  });

  it.each(['zsh', 'fish'])('knows every command for %s', (shell) => {
    const text = script(shell);
    for (const command of [
      'serve',
      'demo',
      'doctor',
      'warmup',
      'export',
      'status',
      'purge',
      'reload',
      'plan',
    ]) {
      expect(text).toContain(command);
    }
    expect(text).toContain('simulate-caller');
  });

  it('names the shells that it knows', () => {
    const { status, stderr } = spawnSync(process.execPath, ['dist/main.js', 'completion', 'tcsh'], {
      encoding: 'utf8',
    });
    expect([status, stderr]).toEqual([2, 'completion: found "tcsh"; allowed: bash, zsh, fish\n']);
  });
});

describe('--help', () => {
  it.each([
    'serve',
    'demo',
    'doctor',
    'warmup',
    'export',
    'status',
    'purge',
    'reload',
    'plan',
    'simulate',
    'completion',
  ])('of %s shows examples', (command) => {
    const help = execFileSync(process.execPath, ['dist/main.js', command, '--help'], { encoding: 'utf8' });
    expect(help).toMatch(new RegExp(`Examples:\\n( .*\\n)*?.*manager-gateway ${command}`));
  });
});
