import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const KEEPER = fileURLToPath(new URL('../hard/walk/stage/keeper.mjs', import.meta.url));
const endless = () => spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });

it('what a walk has started goes with it, however it ends; what has exited before is nobody’s any more', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'dfmgw-kept-'));
  const [kept, frozen, released] = [endless(), endless(), endless()];
  const ends = [once(kept, 'exit'), once(frozen, 'exit')];
  frozen.kill('SIGSTOP');
  const keeper = spawn(process.execPath, [KEEPER, directory], { stdio: ['pipe', 'ignore', 'inherit'] });
  const exited = once(keeper, 'exit');
  keeper.stdin.write([kept, frozen, released].map(({ pid }) => `+${pid}\n`).join(''));
  keeper.stdin.write(`-${released.pid}\n`);
  // As it does when whoever holds the other end is killed.
  keeper.stdin.end();
  expect(await Promise.all(ends)).toEqual([
    [null, 'SIGKILL'],
    [null, 'SIGKILL'],
  ]);
  await exited;
  expect([existsSync(directory), released.exitCode, released.signalCode]).toEqual([false, null, null]);
  released.kill('SIGKILL');
  await once(released, 'exit');
});
