import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../src/simulator/manager/simulated-manager.js';
import { connectCaller } from '../support/caller.js';
import { requestOf } from '../support/data-path.js';
import { buildStages, type ImageTree } from '../support/dockerfile.js';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const DOCKERFILE = join(PROJECT, 'Dockerfile');
const LIST = '/manager.v2.Manager/ListSchedulers';
/** The user of the image; nobody on this machine. */
const STRANGER = 65532;

let dir: string;
let image: ImageTree;
let manager: SimulatedManager;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'image-'));
  // Others may pass, and read nothing else.
  chmodSync(dir, 0o755);
  manager = await startSimulatedManager();
  image = buildStages(DOCKERFILE, PROJECT, dir);
  execFileSync('chmod', ['-R', 'a-w,a+rX', image.root]);
}, 300_000);
afterAll(async () => {
  await manager.stop();
  execFileSync('chmod', ['-R', 'u+w', dir]);
  rmSync(dir, { recursive: true });
}, 120_000);

const main = (): string => join(image.root, image.entrypoint.at(-1) ?? '');

describe('the image', () => {
  it('holds the production dependencies, the compiled code and what that reads, and nothing that builds or tests', () => {
    const there = readdirSync(join(image.root, image.workdir)).toSorted();
    expect(there).toEqual(
      expect.arrayContaining(['LICENSE', 'dist', 'node_modules', 'package.json', 'proto']),
    );
    for (const absent of ['test', 'docs', '.git', 'tsconfig.json']) expect(there).not.toContain(absent);
    const modules = join(image.root, image.workdir, 'node_modules');
    for (const dev of ['typescript', 'vitest', '@biomejs', 'fast-check'])
      expect(existsSync(join(modules, dev))).toBe(false);
    const { dependencies } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8'));
    for (const name of Object.keys(dependencies))
      expect([name, existsSync(join(modules, name))]).toEqual([name, true]);
  });

  it('runs as a user by number, who is not root', () => {
    expect(image.user).toBe(`${STRANGER}:${STRANGER}`);
  });

  it.skipIf(process.getuid?.() !== 0)(
    'serves as that user with everything read-only but the directory of the snapshot, keeps it, and is found healthy',
    async () => {
      const snapshots = join(dir, 'snapshots');
      mkdirSync(snapshots);
      chownSync(snapshots, STRANGER, STRANGER);
      const sets = [
        `managers.addrs=["${manager.address}"]`,
        'server.listen=127.0.0.1:0',
        'metrics.addr=127.0.0.1:0',
        'admin.addr=127.0.0.1:0',
        `snapshot.dir=${snapshots}`,
      ];
      const child = spawn(
        process.execPath,
        [main(), ...image.cmd, ...sets.flatMap((set) => ['--set', set])],
        {
          cwd: join(image.root, image.workdir),
          uid: STRANGER,
          gid: STRANGER,
          env: { PATH: process.env.PATH, HOME: '/nonexistent', ...image.env },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      const exited = once(child, 'exit');
      try {
        const lines = createInterface({ input: child.stdout });
        const started = await new Promise<{ listen: string; metrics: string; admin: string }>(
          (resolve, reject) => {
            lines.on('line', (line) => {
              const said = JSON.parse(line);
              if (said.event === 'started') resolve(said);
            });
            exited.then(([code]) => reject(new Error(`it ended with ${code}: ${child.stderr.read()}`)));
          },
        );
        const caller = await connectCaller(started.listen);
        expect((await caller.call(LIST, requestOf(LIST, { hostname: 'a', ip: '127.0.0.2' }))).code).toBe(0);
        await caller.close();
        const [node = '', ...check] = image.healthcheck;
        expect(node).toBe('node');
        const asked = check.map((word) => word.replace('127.0.0.1:8000', started.metrics));
        expect(spawnSync(process.execPath, asked).status).toBe(0);
        for (const path of ['api/status', '', 'page/main.js', 'page/uplot.js'])
          expect((await fetch(`http://${started.admin}/${path}`)).status).toBe(200);
      } finally {
        child.kill('SIGTERM');
      }
      expect(await exited).toEqual([0, null]);
      expect(readdirSync(snapshots).filter((name) => name.startsWith('answers-'))).toHaveLength(1);
    },
  );

  it('says by its health check that nobody is there', () => {
    const [, ...check] = image.healthcheck;
    const asked = check.map((word) => word.replace('127.0.0.1:8000', '127.0.0.1:1'));
    expect(spawnSync(process.execPath, asked).status).toBe(1);
  });

  it('exposes the ports that are the defaults', () => {
    expect(image.exposed).toEqual(expect.arrayContaining(['65003', '8000']));
  });
});
