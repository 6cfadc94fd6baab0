import { describe, expect, it } from 'vitest';
import {
  clientRules,
  HEALTH,
  KEEP,
  LIST,
  node,
  REFUSED,
  RULES,
  UPDATE,
} from '../support/client-rules-world.js';
import { requestOf } from '../support/data-path.js';
import { ask } from '../support/promises-ask.js';
import { until } from '../support/until.js';

const { world } = clientRules();

describe('with rules that only warn', () => {
  it('everything passes, is counted, and told of once for each client and method', async () => {
    const here = await world('warn');
    const [daemon, again] = [await here.as('daemon'), await here.as('daemon')];
    for (const caller of [daemon, again, daemon]) {
      expect(await ask(caller, UPDATE, node('d7'))).toMatchObject({ code: '0' });
    }
    expect(await ask(await here.as('nobody'), UPDATE, node('d7'))).toMatchObject({ code: '0' });
    expect(await ask(await here.as('scheduler'), UPDATE, node('sched-2'))).toMatchObject({ code: '0' });
    expect(await ask(daemon, LIST)).toMatchObject({ code: '0' });
    expect(here.forbidden().map(({ rule, outcome, isNews }) => [rule, outcome, isNews])).toEqual([
      ['none', 'warned', true],
      ['none', 'warned', false],
      ['none', 'warned', false],
      ['none', 'warned', true],
      ['schedulers', 'warned', true],
    ]);
    const { host, port } = here.running.bound.metrics ?? { host: '', port: 0 };
    const text = await (await fetch(`http://${host}:${port}/metrics`)).text();
    const counted = text.split('\n').filter((line) => line.includes('client_rules_total{'));
    expect(counted.map((line) => line.replace(/^dragonfly_manager_gateway_/, ''))).toEqual([
      'client_rules_total{rule="none",outcome="warned"} 4',
      'client_rules_total{rule="none",outcome="refused"} 0',
      'client_rules_total{rule="schedulers",outcome="warned"} 1',
      'client_rules_total{rule="daemons",outcome="allowed"} 1',
    ]);
  });
});

describe('with rules that are off', () => {
  it('everybody may do everything, and nobody is looked at', async () => {
    const here = await world('off');
    const nobody = await here.as('nobody');
    for (const path of [LIST, UPDATE, HEALTH])
      expect(await ask(nobody, path, node('x'))).toMatchObject({ code: '0' });
    expect(here.running.events.filter(({ kind }) => kind.startsWith('client-'))).toEqual([]);
  });
});

describe('a reload', () => {
  it('changes the rules for connections that are open', async () => {
    const here = await world('off');
    const daemon = await here.as('daemon');
    const code = async () => (await ask(daemon, UPDATE, node('d7'))).code;
    expect(await code()).toBe('0');
    here.reload('enforce');
    expect(await code()).toBe('7');
    here.reload('warn');
    expect(await code()).toBe('0');
    here.reload('enforce', [
      ...RULES,
      { name: 'more', certificates: ['d7.daemon.example'], methods: ['writes'] },
    ]);
    expect(await code()).toBe('0');
    here.reload('enforce');
    expect(await code()).toBe('7');
  });

  it('that cannot be held is refused, and the rules stay', async () => {
    const here = await world('enforce');
    const daemon = await here.as('daemon');
    expect(() => here.reload('enforce', [])).toThrow();
    expect((await here.running.seen(({ kind }) => kind === 'config-refused')).kind).toBe('config-refused');
    expect(await ask(daemon, LIST)).toMatchObject({ code: '0' });
    expect(await ask(daemon, UPDATE, node('d7'))).toMatchObject(REFUSED);
  });

  it('ends a stream that it forbids with its next message, and the node has its grace to come back', async () => {
    const here = await world('off');
    const scheduler = await here.as('scheduler');
    const name = { hostname: 'sched-1', ip: '127.0.0.9' };
    expect(await ask(scheduler, UPDATE, node('sched-1'))).toMatchObject({ code: '0' });
    const beat = requestOf(KEEP, { source_type: 'SCHEDULER_SOURCE', cluster_id: 1, ...name });
    const active = () =>
      here.manager.record.schedulers.find(({ hostname }) => hostname === 'sched-1')?.state === 'active';
    const first = scheduler.open(KEEP);
    await first.send(beat);
    await until('it is active', active);

    const nothing = [{ name: 'daemons', certificates: ['*.daemon.example'], methods: ['reads'] }];
    here.reload('enforce', nothing);
    await first.send(beat);
    expect(await first.outcome).toMatchObject(REFUSED);
    expect(await ask(scheduler, KEEP, { cluster_id: 1, ...name })).toMatchObject(REFUSED);
    expect(active()).toBe(true);
    expect(here.running.events.filter(({ kind }) => kind === 'node-ended')).toEqual([]);

    // The mistake is mended within the grace.
    here.reload('enforce');
    const second = scheduler.open(KEEP);
    await second.send(beat);
    await until(
      'it beats again',
      () =>
        here.running.events.filter((event) => event.kind === 'client-allowed' && event.rule === 'schedulers')
          .length > 0,
    );
    expect(active()).toBe(true);
    // About another one all of a sudden.
    await second.send(
      requestOf(KEEP, { source_type: 'SCHEDULER_SOURCE', cluster_id: 1, ...name, hostname: 'sched-2' }),
    );
    expect((await second.outcome).message).toContain('hostname "sched-2"');
  });
});
