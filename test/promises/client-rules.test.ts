import http2 from 'node:http2';
import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import {
  clientRules,
  HEALTH,
  KEEP,
  LIST,
  node,
  REFUSED,
  UPDATE,
  type World,
} from '../support/client-rules-world.js';
import { requestOf } from '../support/data-path.js';
import { framed } from '../support/framed.js';
import { ask, SOMEBODY } from '../support/promises-ask.js';
import { temporaryDirectory } from '../support/temporary-directory.js';

const SEED = '/manager.v2.Manager/UpdateSeedPeer';
const DELETE = '/manager.v2.Manager/DeleteSeedPeer';

const rules = clientRules();
const { world } = rules;

const askedOf = ({ manager }: World, path: string): number =>
  manager.calls().filter((call) => call.path === path).length;

describe('with rules that are enforced', () => {
  it.each([
    ['daemon', LIST, true],
    ['daemon', UPDATE, false],
    ['daemon', DELETE, false],
    ['daemon', KEEP, false],
    ['daemon', '/manager.Manager/CreateModel', false],
    ['daemon', '/unknown.Service/Method', false],
    ['daemon', HEALTH, true],
    ['scheduler', LIST, true],
    ['scheduler', UPDATE, true],
    ['scheduler', KEEP, true],
    ['scheduler', '/security.Certificate/IssueCertificate', false],
    ['operator', LIST, true],
    ['operator', UPDATE, true],
    ['operator', KEEP, true],
    ['operator', '/unknown.Service/Method', true],
    ['nobody', LIST, false],
    ['nobody', HEALTH, true],
    ['nameless', LIST, false],
  ])('%s calls %s: %s', async (who, path, allowed) => {
    const here = await world('enforce');
    const outcome = await ask(await here.as(who), path, node('sched-1'));
    if (allowed) expect(outcome).not.toMatchObject(REFUSED);
    else {
      expect(outcome).toMatchObject({ ...REFUSED, messages: [] });
      expect(outcome.message).toContain('server.clients.rules');
      expect(askedOf(here, path)).toBe(0);
      expect(here.forbidden()).toMatchObject([{ rule: 'none', outcome: 'refused', isNews: true }]);
    }
  });

  it('a refusal says who wants what, and what is missing where', async () => {
    const here = await world('enforce');
    expect((await ask(await here.as('daemon'), UPDATE, node('d7'))).message).toBe(
      'manager-gateway: server.clients: the certificate of DNS:d7.daemon.example wants manager.v2.Manager/UpdateScheduler, and the rule for it (daemons) does not have that; "writes" or "UpdateScheduler" is missing in the methods of one of server.clients.rules',
    );
    expect((await ask(await here.as('nobody'), LIST)).message).toBe(
      'manager-gateway: server.clients: no rule is for a caller without a certificate, which wants manager.v2.Manager/ListSchedulers; one with such a name in its certificates, and "reads" or "ListSchedulers" in its methods, is missing in server.clients.rules',
    );
  });

  it('a node writes about itself, and what it says of others goes nowhere, not even while the manager is away', async () => {
    const here = await world('enforce', [`snapshot.dir=${temporaryDirectory()}`]);
    const [scheduler, operator] = [await here.as('scheduler'), await here.as('operator')];
    expect(await ask(scheduler, UPDATE, node('sched-1'))).toMatchObject({ code: '0' });
    const others = [
      [UPDATE, node('sched-2')],
      [UPDATE, node('sched-1', '127.0.0.8')],
      [UPDATE, node('')],
      [SEED, { ...node('sched-2'), seed_peer_cluster_id: 1 }],
      [DELETE, { hostname: 'sched-2', ip: '127.0.0.9', seed_peer_cluster_id: 1 }],
      [DELETE, { hostname: 'sched-1', seed_peer_cluster_id: 1 }],
      [KEEP, { source_type: 'SCHEDULER_SOURCE', hostname: 'sched-2', ip: '127.0.0.9', cluster_id: 1 }],
    ] as const;
    for (const [path, fields] of others) {
      const outcome = await ask(scheduler, path, fields);
      expect([path, outcome.code]).toEqual([path, '7']);
      expect(outcome.message).toContain('the rule for it (schedulers) has onlyItself');
      expect(outcome.message).toContain(`hostname "${fields.hostname}"`);
    }
    // An operator has registered another one here, so that its registration would be written down.
    expect(await ask(operator, UPDATE, node('sched-2'))).toMatchObject({ code: '0' });
    await here.manager.stop();
    await here.running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
    expect(await ask(scheduler, UPDATE, node('sched-2'))).toMatchObject(REFUSED);
    expect(here.running.events.filter(({ kind }) => kind === 'registration-journaled')).toEqual([]);
    expect((await ask(operator, UPDATE, node('sched-2'))).trailers['x-dfmgw-write']).toBe('journaled');
    expect([UPDATE, SEED, DELETE, KEEP].map((path) => askedOf(here, path))).toEqual([2, 0, 0, 0]);
  });

  it('what cannot be read, or is more than a message, is about nobody', async () => {
    const here = await world('enforce');
    const scheduler = await here.as('scheduler');
    const garbage = scheduler.open(UPDATE);
    void garbage.send(Buffer.from('no such message'));
    garbage.halfClose();
    expect((await garbage.outcome).message).toContain('which cannot be read');
    const two = scheduler.open(UPDATE);
    void two.send(requestOf(UPDATE, node('sched-1')));
    void two.send(requestOf(UPDATE, node('sched-2')));
    two.halfClose();
    expect(await two.outcome).toMatchObject(REFUSED);
    expect(askedOf(here, UPDATE)).toBe(0);
  });

  it.each(['observe', 'bypass'])('they hold in mode %s, too', async (mode) => {
    const here = await world('enforce', [`mode=${mode}`]);
    expect(await ask(await here.as('daemon'), LIST)).toMatchObject({ code: '0' });
    expect(await ask(await here.as('nobody'), LIST)).toMatchObject(REFUSED);
    expect(await ask(await here.as('nobody'), HEALTH)).toMatchObject({ code: '0' });
    const scheduler = await here.as('scheduler');
    expect(await ask(scheduler, UPDATE, node('sched-2'))).toMatchObject(REFUSED);
    expect(await ask(scheduler, UPDATE, node('sched-1'))).toMatchObject({ code: '0' });
    expect(here.manager.record.schedulers.map(({ hostname }) => hostname)).not.toContain('sched-2');
  });

  it('an answer from memory is under them, too', async () => {
    const here = await world('enforce');
    expect((await ask(await here.as('daemon'), LIST)).trailers['x-dfmgw-cache']).toBe('miss');
    expect((await ask(await here.as('operator'), LIST)).trailers['x-dfmgw-cache']).toBe('hit');
    expect(await ask(await here.as('nobody'), LIST)).toMatchObject({ ...REFUSED, messages: [] });
  });

  it('a connection that resumes the TLS session of an earlier one is who that was', async () => {
    const here = await world('enforce', [], 'require');
    const options = {
      ca: rules.authority.caCert,
      ...rules.shown.daemon,
      ALPNProtocols: ['h2'],
      maxVersion: 'TLSv1.2' as const,
    };
    const [host = '', port = ''] = here.running.address.split(':');
    const first = tls.connect({ host, port: Number(port), ...options });
    const session = await new Promise<Buffer>((resolve) => first.once('session', resolve));
    first.destroy();
    const again = tls.connect({ host, port: Number(port), ...options, session });
    await new Promise((resolve) => again.once('secureConnect', resolve));
    expect(again.isSessionReused()).toBe(true);
    const resumed = http2.connect(`https://${here.running.address}`, { createConnection: () => again });
    rules.endLater(() => resumed.destroy());
    const codes = [];
    for (const path of [LIST, UPDATE]) {
      const stream = resumed.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      const code = new Promise((resolve) => {
        for (const event of ['response', 'trailers'] as const)
          stream.on(
            event,
            (headers: http2.IncomingHttpHeaders) =>
              headers['grpc-status'] !== undefined && resolve(headers['grpc-status']),
          );
      });
      stream.resume();
      stream.end(framed(requestOf(path, SOMEBODY)));
      codes.push(await code);
    }
    expect(codes).toEqual(['0', '7']);
  });
});
