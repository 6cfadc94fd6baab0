import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildManagerProgram, ManagerProcess, type ManagerProgram } from './manager-process.js';
import { ask, getScheduler, HEALTH, hostnames, listSchedulers } from './questions.js';
import { RawClient } from './raw-client.js';

let program: ManagerProgram | undefined;
beforeAll(async () => {
  program = await buildManagerProgram();
});
afterAll(() => program?.remove());

function start(args: readonly string[] = []): Promise<ManagerProcess> {
  if (program === undefined) throw new Error('not built');
  return ManagerProcess.start(program, args);
}

describe('the manager process', () => {
  it('answers, takes faults and tells its counts, and ends with its stdin', async () => {
    const manager = await start(['--schedulers', '2', '--recorded-nodes', 'false']);
    const client = new RawClient(manager.address);
    expect(hostnames(await listSchedulers(client))).toEqual(['scheduler-0', 'scheduler-1']);
    await manager.tell({ command: 'fault', fault: { kind: 'database-dead' } });
    expect((await getScheduler(client)).message).toContain('connection refused');
    expect(await manager.tell({ command: 'stats' })).toMatchObject({
      stats: { callsTotal: 2, connectionsOpen: 1 },
    });
    expect(await manager.tell({ command: 'nonsense' } as never)).toMatchObject({ error: expect.any(String) });
    client.close();
    expect(await manager.stop()).toBe(0);
  });

  it('tells the history of nodes with the way to read its times, and deletes rows', async () => {
    const manager = await start(['--schedulers', '1', '--recorded-nodes', 'false']);
    const node = { kind: 'scheduler', clusterId: 1, hostname: 'scheduler-0', ip: '127.0.0.1' } as const;
    expect(await manager.tell({ command: 'delete', node })).toEqual({ deleted: 1 });
    const told = await manager.tell({ command: 'histories', nodes: [node] });
    const { histories, machineOffsetMs } = told as {
      histories: { state: string; atMs: number }[][];
      machineOffsetMs: number;
    };
    expect(histories[0]?.map(({ state }) => state)).toEqual(['active', 'gone']);
    const deletedAgoMs =
      Number(process.hrtime.bigint()) / 1e6 - machineOffsetMs - (histories[0]?.at(-1)?.atMs ?? 0);
    expect(deletedAgoMs).toBeGreaterThan(0);
    expect(deletedAgoMs).toBeLessThan(10_000);
    expect(await manager.stop()).toBe(0);
  });

  it('says nothing while it is stopped by a signal, and goes on afterwards', async () => {
    const manager = await start();
    const client = new RawClient(manager.address);
    expect((await listSchedulers(client)).code).toBe(0);
    manager.signal('SIGSTOP');
    expect((await ask(client, `${HEALTH}/Check`, {}, 200)).code).toBe(4);
    manager.signal('SIGCONT');
    expect((await ask(client, `${HEALTH}/Check`, {})).code).toBe(0);
    manager.signal('SIGKILL');
    expect(await manager.stop()).toBe(null);
    expect((await listSchedulers(client)).code).toBe(14);
    client.close();
  });
});
