import { afterAll, describe, expect, it } from 'vitest';
import { createCertificates } from '../../src/observe/certificates.js';
import type { GatewayEvent } from '../../src/observe/events.js';
import { createMetrics } from '../../src/observe/metrics.js';
import { makeAuthority } from '../support/certificates.js';
import { configOf } from '../support/data-path.js';
import { ManualClock } from '../support/manual-clock.js';
import { linesOf, METRIC_SOURCES, samplesIn } from '../support/told.js';

const DAY_MS = 86_400_000;
const authority = makeAuthority();
afterAll(() => authority.end());
const long = authority.leaf('long', { days: 20 });
const short = authority.leaf('short', { days: 10 });

function bench(pairs: Record<string, { cert: string; key: string }>) {
  const sets = Object.entries(pairs).flatMap(([section, { cert, key }]) => [
    `${section}.tls.cert=${cert}`,
    `${section}.tls.key=${key}`,
  ]);
  const config = configOf('', [...sets, ...(pairs.redis ? ['redis.tls.enable=true'] : [])]);
  const clock = new ManualClock();
  clock.jumpWall(Date.now() - clock.wallMs());
  const events: GatewayEvent[] = [];
  const certificates = createCertificates({ config, clock, emit: (event) => events.push(event) });
  return { config, clock, events, certificates };
}

describe('the certificates of the gateway', () => {
  it('are told of twice a day from fourteen days before they expire', () => {
    const { clock, events, certificates } = bench({ server: long, managers: long });
    certificates.start();
    expect(events).toEqual([]);
    clock.advance(6 * DAY_MS + DAY_MS / 4);
    expect(events.map((event) => event.kind === 'certificate-expiring' && event.use)).toEqual([
      'server',
      'manager',
    ]);
    clock.advance(DAY_MS);
    expect(events).toHaveLength(6);
    certificates.stop();
    clock.advance(30 * DAY_MS);
    expect(events).toHaveLength(6);
  });

  it('are told of at the start, the first of a chain counts, and an expired one is an error', () => {
    const chain = { cert: long.cert + short.cert, key: long.key };
    const { clock, events, certificates } = bench({ server: chain });
    certificates.start();
    clock.advance(11 * DAY_MS);
    const lines = linesOf(events);
    expect(lines[0]).toMatchObject({ level: 'warn', event: 'certificate-expiring', use: 'server' });
    expect(lines[0]?.msg).toMatch(/^the certificate of server\.tls\.cert expires in 9 days, on 20/);
    expect(lines.at(-1)).toMatchObject({ level: 'error', use: 'server' });
    expect(lines.at(-1)?.msg).toMatch(/expired on 20/);
    certificates.stop();
  });

  it('have a series each, 0 where there is none, and that of the file that is there now', async () => {
    const { config, certificates } = bench({ redis: short });
    const { render } = createMetrics({ ...METRIC_SOURCES, certificates: certificates.expiries });
    const expiries = async () => samplesIn((await render()).text, 'certificate_expiry_timestamp_seconds');
    const inDays = (days: number) => expect.closeTo(Date.now() / 1000 + days * 86_400, -4);
    expect(await expiries()).toEqual({
      '{use="server"}': 0,
      '{use="manager"}': 0,
      '{use="redis"}': inDays(10),
    });
    Object.assign(config.redis.tls, long);
    expect((await expiries())['{use="redis"}']).toEqual(inDays(20));
  });
});
