import { describe, expect, it } from 'vitest';
import { deleting, registrationsBench } from '../support/registrations-bench.js';
import { ok } from '../support/scripted-upstream.js';

const DELETE = '/manager.v2.Manager/DeleteSeedPeer';

describe('a deletion', () => {
  it('is told of before the manager hears of it: what is seen meanwhile is no loss', async () => {
    const bench = await registrationsBench();
    const toldBefore: string[][] = [];
    bench.manager(() => {
      toldBefore.push([...bench.written]);
      return ok(Buffer.alloc(0));
    });
    await bench.part.write(deleting());
    expect(toldBefore).toEqual([[DELETE]]);
  });

  it('is UNAVAILABLE while the manager is away, and nobody is told of one', async () => {
    const bench = await registrationsBench();
    bench.managerAway();
    await expect(bench.part.write(deleting())).rejects.toMatchObject({ code: 'manager-unavailable' });
    expect([bench.seen, bench.written]).toEqual([[], []]);
  });
});
