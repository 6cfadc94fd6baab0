import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { runGateway } from '../support/gateway-process.js';
import { startLocalManager } from '../support/shield-manager.js';
import { lapsesBetween } from '../support/shield-meter.js';
import { ShieldNode } from '../support/shield-node.js';
import { allActive, member, scaledSettings } from '../support/shield-world.js';

const TIME_FACTOR = 10;
/** More than three beats of the nodes. */
const STOPPED_MS = 3_000;

describe('a gateway whose process was stopped for longer than three beats', () => {
  it('takes no node for silent whose beats lie in its sockets', async () => {
    const manager = await startLocalManager({ timeFactor: TIME_FACTOR });
    const gateway = runGateway([
      'serve',
      ...[
        'server.listen=127.0.0.1:0',
        'admin.enable=false',
        'metrics.enable=false',
        'snapshot.dir=',
        `managers.addrs=["${manager.address}"]`,
        ...scaledSettings(TIME_FACTOR),
      ].flatMap((set) => ['--set', set]),
    ]);
    const address = String((await gateway.line({ event: 'started' })).listen);
    const nodes = Array.from(
      { length: 10 },
      (_, number) => new ShieldNode({ ...member(number), address, timeFactor: TIME_FACTOR }),
    );
    const names = nodes.map(({ name }) => name);
    try {
      await Promise.all(nodes.map((node) => node.start()));
      await allActive(manager, names);
      // Their pace is known after four beats.
      await wait(2_500);
      const fromMs = performance.now();
      gateway.child.kill('SIGSTOP');
      await wait(STOPPED_MS);
      gateway.child.kill('SIGCONT');
      await wait(STOPPED_MS);
      const histories = await manager.histories(names);
      const lapses = histories.flatMap((history) => lapsesBetween(history, fromMs, performance.now()));
      expect(lapses).toEqual([]);
    } finally {
      await Promise.all(nodes.map((node) => node.stop()));
      gateway.child.kill('SIGKILL');
      await gateway.exited;
      await manager.stop();
    }
  });
});
