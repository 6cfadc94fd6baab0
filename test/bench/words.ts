/** What stands round the tables of docs/benchmarks.md. */
export const INTRODUCTION = `
This page is generated from \`docs/benchmarks.json\`, the raw results of one run: \`npm run docs:benchmarks\`.
To measure: \`npm run bench:install\` once, then \`npm run bench\` (the table), \`npm run --silent bench -- --quick --json\` (hits, calls passed
through, churn and idle connections beside Envoy and HAProxy, within 10 minutes, as JSON), or in parts, for example
\`npm run bench -- --only hit,churn --targets gateway,envoy --out docs/benchmarks.json\`: other scenarios of an earlier run stay in the file.
What is not installed is named as missing.
`;

export const HOW = `
Each cell is the median of the repetitions, in brackets the lowest and the highest, then the ratio to Envoy. Each repetition starts the
target and its manager anew; targets take turns, so that a machine that slows down does so for all. The server, all of its threads, has
one core; Envoy one worker, HAProxy one thread, nginx one worker. CPU is user and system time of its whole process tree. \`h2load\` gives as
many calls as the target takes; p50 and p99 are those of \`ghz\` (grpc-go) at 3,000 calls a second,
without its first second, in which it opens its connections. \`gateway\` runs on Node 24 as in the image,
\`gateway-node22\` and \`-node20\` on those. \`bare\` is a bare responder over node:http2 on Node 24, the limit of the engine; \`stub\` is the stub manager
reached directly, the limit of the generators. The proxies forward each call to the stub; the gateway is asked for what it has (hit), or,
by a header, for what only the manager may answer (pass). The answer is one of a real manager v2.5.1 with two schedulers, 585 bytes.
`;

const OUTAGE =
  '30 s without manager; 50 clients a second, each with a connection of its own and a deadline of 10 s, and 10 calls a second that only the manager can answer: recovery is the end of the last of those that failed after its return. The answers of the gateway expire within it (`ttl` and `swr` 1 s).';

export const SCENARIOS: Readonly<Record<string, string>> = {
  'hit-10x10': '10 connections with 10 calls in flight each.',
  'hit-200x1': '200 connections with one call in flight each.',
  'pass-10x10': '10 connections with 10 calls in flight each, all of them passed through.',
  'pass-200x1': '200 connections with one call in flight each, all of them passed through.',
  churn: 'Connect, Health/Check, ListSchedulers, close; a cycle counts as a call, 16 at a time.',
  'idle-2000':
    '2,000 connections, each of a daemon that has made a call; memory beyond that of the process after work.',
  'idle-10000': '10,000 connections, each with a call each 60 s, watched for a minute.',
  'nodes-1000':
    '1,000 schedulers, registered, each with a KeepAlive stream over a connection of its own and a beat each 5 s; both sides of the gateway.',
  'storm-2000':
    '2,000 daemons start within 10 s as the Rust client does: two connections, health once, the schedulers three times, no retry.',
  'outage-killed': `The manager's process is gone. ${OUTAGE}`,
  'outage-frozen': `The manager's process is there and says nothing (SIGSTOP). ${OUTAGE}`,
  day: 'A day of 330 daemons in 4 minutes: 2,000 calls a second, a daemon of another name after each 200 calls.',
};

export const LEARNED = `
## Where the time goes

From \`node --cpu-prof\`, a sampling of allocations, and \`perf\`, on hits:

- No function of the gateway stood out; garbage did. A hit is one synchronous look, in the event that brings the end of its request, without promises and
  closures ([decision 23](decisions/0023-hits-at-once.md)); request headers are understood once per connection as long as they stay the same; what is counted for
  each call is counted by addition. That took hits from 23,600 to 30,500 and from 9,900 to 12,900 calls/s on this machine.
- \`x-dfmgw-age-ms\` took 8 % in HPACK: another value each time, put into a table that it pushed the constant headers out of. It is sent as
  never indexed.
- A quarter of what a call allocates outlives the young generation, a bare responder's, too (1.7 KB each, until V8 collects everything). It is copied whatever the
  size of that generation, so the size decides only how long everybody waits: Node 24's own makes p99 10.6 and 15.5 ms (five repetitions of the same day), 64 MiB 14 and 20,
  8 MiB what the table says, at the same CPU. The image starts Node with \`--max-semi-space-size=8\`.
- What is left is node:http2's: streams as Node's \`Duplex\`, a session for each connection, and two writes to the socket for each answer (headers with the message, then the
  trailers, which it sends in a \`setImmediate\` of its own, so that they cannot go out together). At 200x1 \`bare\`, which does nothing else, takes 0.43 CPU s for 10,000 calls beside Envoy's 0.49, and is the most that can be had; the
  gateway takes 0.35 more: a sixth of that is garbage, and no function of its own has more than 2 µs of the 78 per call.
- Churn falls short most: a connection costs node:http2 more than Envoy needs for the whole cycle's work. Beside the bare responder (158 µs of CPU in the profile) a cycle
  takes 385: 30 more of them to collect what sessions leave behind, 11 to read headers, 6 to ask for the peer's address; the rest is spread, below 4 each.
  Health is answered at once since, and a timeout read without an expression.
- A message that is remembered lies ready as a frame: at 200x1 a hit costs 5 to 9 % less CPU for it (interleaved runs), at 10x10 nothing that could be told from noise.
`;
