// The built command on whichever Node runs this file: it starts, answers a grpc-js client through a manager, remembers
// the answer, serves it when the manager is gone, tells its health, and drains on SIGTERM.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadServiceDefinitions } from '../../dist/route/proto.js';
import { startSimulatedManager } from '../../dist/simulator/manager/simulated-manager.js';

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const DEADLINE_MS = 20_000;
let manager;
let gateway;
let client;
let admin;
const lines = [];
const trailers = { last: undefined };

before(async () => {
  manager = await startSimulatedManager();
  gateway = spawn(
    process.execPath,
    [
      MAIN,
      'serve',
      ...sets([
        'server.listen=127.0.0.1:0',
        `managers.addrs=["${manager.address}"]`,
        'admin.addr=127.0.0.1:0',
        'metrics.addr=127.0.0.1:0',
        'snapshot.dir=',
      ]),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const reader = createInterface({ input: gateway.stdout });
  const started = new Promise((resolve, reject) => {
    reader.on('line', (line) => {
      lines.push(JSON.parse(line));
      if (lines.at(-1).event === 'started') resolve(lines.at(-1));
    });
    gateway.once('exit', (code) =>
      reject(new Error(`the gateway ended with ${code}: ${JSON.stringify(lines)}`)),
    );
  });
  const Client = grpc.makeClientConstructor(loadServiceDefinitions()['manager.v2.Manager'], 'Manager');
  const { listen, admin: adminAddress } = await started;
  admin = adminAddress;
  client = new Client(listen, grpc.credentials.createInsecure());
});

after(async () => {
  client?.close();
  if (gateway?.exitCode === null) gateway.kill('SIGKILL');
  await manager?.stop();
});

function sets(values) {
  return values.flatMap((value) => ['--set', value]);
}

function listApplications() {
  return new Promise((resolve, reject) => {
    const call = client.ListApplications(
      { hostname: 'sched-a', ip: '127.0.0.1' },
      { deadline: Date.now() + DEADLINE_MS },
      (error, answer) => (error ? reject(error) : resolve(answer)),
    );
    call.on('status', (status) => {
      trailers.last = status.metadata.getMap();
    });
  });
}

test('the admin page is there, with what it needs of other packages', async () => {
  for (const path of ['', 'page/main.js', 'page/uplot.js', 'page/uplot.css']) {
    assert.equal((await fetch(`http://${admin}/${path}`)).status, 200, path);
  }
});

test(`an answer comes through, on Node ${process.version}`, async () => {
  const answer = await listApplications();
  assert.equal(answer.applications.length, 2);
  assert.equal(trailers.last['x-dfmgw-cache'], 'miss');
});

test('the second one is a hit', async () => {
  assert.equal((await listApplications()).applications.length, 2);
  assert.equal(trailers.last['x-dfmgw-cache'], 'hit');
});

test('it is answered when the manager is gone, too', async () => {
  await manager.stop();
  assert.equal((await listApplications()).applications.length, 2);
});

test('health says SERVING', async () => {
  const Health = grpc.makeClientConstructor(loadServiceDefinitions()['grpc.health.v1.Health'], 'Health');
  const health = new Health(
    lines.find(({ event }) => event === 'started').listen,
    grpc.credentials.createInsecure(),
  );
  const answer = await new Promise((resolve, reject) => {
    health.Check({ service: '' }, { deadline: Date.now() + DEADLINE_MS }, (error, value) =>
      error ? reject(error) : resolve(value),
    );
  });
  health.close();
  assert.equal(answer.status, 'SERVING');
});

test('SIGTERM drains it, and it exits with 0', async () => {
  const exited = once(gateway, 'exit');
  gateway.kill('SIGTERM');
  assert.deepEqual(await exited, [0, null]);
  assert.equal(lines.at(-1).event, 'stopped');
});
