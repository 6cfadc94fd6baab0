// Callers as a fleet has them, each on a connection of its own, asking now and then what is remembered, in a process of their own, or what
// the manager does meanwhile would be charged to the gateway:
//   node legitimate-callers.mjs ADDRESS COUNT PAUSE_MS
// Prints "ready", and at the end of its standard input {"latenciesMs": […], "failures": […], "lateMs": […], "sources": {…}}: every answer but OK and
// every call that broke; how much too late a timer rang here, which is the machine's doing; and how many answers were a hit, a miss, or stale.
import { once } from 'node:events';
import http2 from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';

const [address, count, pauseMs] = process.argv.slice(2);
const TICK_MS = 5;
const latenciesMs = [];
const failures = [];
const lateMs = [];
const sources = {};
let stopped = false;

const text = (number, value) =>
  Buffer.concat([Buffer.from([(number << 3) | 2, value.length]), Buffer.from(value)]);

/** As listSchedulersOf in test/support/promises-messages.ts, framed. */
function question(hostname) {
  const message = Buffer.concat([text(2, hostname), text(3, '10.2.0.1')]);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Resolves with the status. */
function ask(session, request) {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/manager.v2.Manager/ListSchedulers',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status = 'none';
    const note = (headers) => {
      status = headers['grpc-status'] ?? status;
      const source = headers['x-dfmgw-cache'];
      if (source !== undefined) sources[source] = (sources[source] ?? 0) + 1;
    };
    stream.on('response', note);
    stream.on('trailers', note);
    stream.on('error', reject);
    stream.on('close', () => resolve(String(status)));
    stream.resume();
    stream.end(request);
  });
}

async function caller(index) {
  const session = http2.connect(`http://${address}`);
  session.on('error', () => {});
  await once(session, 'connect');
  const request = question(`legitimate-${index}`);
  return async () => {
    while (!stopped) {
      const startedAtMs = performance.now();
      const status = await ask(session, request).catch((error) => String(error));
      latenciesMs.push(performance.now() - startedAtMs);
      if (status !== '0') failures.push(status);
      await wait(Number(pauseMs));
    }
    session.destroy();
  };
}

const callers = await Promise.all(Array.from({ length: Number(count) }, (_, index) => caller(index)));
let tickedAtMs = performance.now();
const ticking = setInterval(() => {
  const nowMs = performance.now();
  lateMs.push(Math.max(0, nowMs - tickedAtMs - TICK_MS));
  tickedAtMs = nowMs;
}, TICK_MS);
process.stdin.resume().once('end', () => {
  stopped = true;
});
process.stdout.write('ready\n');
await Promise.all(callers.map((call) => call()));
clearInterval(ticking);
process.stdout.write(`${JSON.stringify({ latenciesMs, failures, lateMs, sources })}\n`);
