import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulatedManager } from '../../../src/simulator/manager/simulated-manager.js';
import { launchChromium } from '../../support/chromium.js';
import { type OpenPage, openPage, rowsOf } from '../../support/open-page.js';
import { bePatient, soon } from '../../support/patience.js';
import { type RunningGateway, startGateway } from '../../support/running-gateway.js';

bePatient();

const [CALLERS, NODES, ENTRIES] = [2_000, 500, 5_000];

let manager: Awaited<ReturnType<typeof startSimulatedManager>>;
let running: RunningGateway;
let browser: Browser;
let open: OpenPage;
let page: Page;

/** The gateway answers itself, but for the three lists of a large fleet. */
beforeAll(async () => {
  manager = await startSimulatedManager();
  running = await startGateway({
    managers: [manager.address],
    sets: ['admin.enable=true', 'admin.addr=127.0.0.1:0'],
  });
  browser = await launchChromium();
  const url = `http://127.0.0.1:${running.bound.admin?.port}/`;
  open = await openPage(browser, url, { viewport: { width: 1440, height: 900 } }, async (context) => {
    await context.route('**/api/callers', (route) =>
      route.fulfill({ json: { count: CALLERS, callers: list(500, callerOf) } }),
    );
    await context.route('**/api/nodes?limit=500', (route) =>
      route.fulfill({ json: { count: 5_000, toLookAt: 2, nodes: list(NODES, nodeOf) } }),
    );
    await context.route('**/api/cache?*', (route) => {
      const limit = Number(new URL(route.request().url()).searchParams.get('limit'));
      const sums = { count: ENTRIES, held: 0, sizeBytes: ENTRIES * 900, maxBytes: 2 ** 28 };
      return route.fulfill({ json: { ...sums, matching: ENTRIES, entries: list(limit, entryOf) } });
    });
  });
  page = open.page;
});
afterAll(async () => {
  await browser.close();
  await running.gateway.stop();
  await manager.stop();
});

const text = (id: string) => page.locator(`#${id}`).innerText();

describe('of a large fleet the page shows', () => {
  it('how many callers there are, and of them as many as it is told of', async () => {
    await soon(() => text('callers-count')).toBe(
      '2,000, 3 of them open again and again, the first 500 of them here',
    );
    expect(await page.locator('#callers-table tbody tr').count()).toBe(500);
  });

  it('how many nodes there are, some of them, and before all others those to look at', async () => {
    await soon(() => text('nodes-count')).toBe('5,000, 2 to look at, 500 of them here');
    const rows = await rowsOf(page, 'nodes-table');
    expect(rows.length).toBe(NODES);
    expect(rows.slice(0, 3).map(([name, here, there]) => [name?.split(' ')[0], here, there])).toEqual([
      ['scheduler-217', 'open', 'inactive, disputed for 1 min 30 s asked 2 s ago'],
      ['scheduler-401', 'dormant, not alive opened again twice, last: link-broken', 'gone asked 2 s ago'],
      ['scheduler-000', 'open', 'unknown asked 2 s ago: its cluster is not listed'],
    ]);
    expect(await page.locator('#nodes-table tr.loud').count()).toBe(2);
  });

  it('some of the answers, and more if they are wanted', async () => {
    await soon(() => text('cache-shown')).toBe('50 of 5,000 shown');
    await page.getByRole('button', { name: 'Show more' }).click();
    await soon(() => text('cache-shown')).toBe('100 of 5,000 shown');
    expect(await page.locator('#cache-table tbody tr').count()).toBe(100);
  });

  it('nothing that has to be scrolled sideways, and what had the focus still has it', async () => {
    const button = page.getByRole('button', { name: 'Forget scheduler-450…' });
    await button.focus();
    const samples = () =>
      page.evaluate<number>("import('./page/past.js').then(({ past }) => past.samples.length)");
    const before = await samples();
    await soon(samples).toBeGreaterThan(before);
    expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe(
      'Forget scheduler-450…',
    );
    const [width = 0, room] = await page.evaluate<number[]>(
      '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
    );
    expect(width).toBeLessThanOrEqual(room ?? 0);
    expect(open.wrong).toEqual([]);
  });
});

function list<T>(length: number, of: (nth: number) => T): T[] {
  return Array.from({ length }, (_, nth) => of(nth));
}

function callerOf(nth: number) {
  return {
    address: `10.1.${nth >> 8}.${nth & 255}`,
    kind: 'tonic/0.12.3',
    open: 2,
    openedTotal: 2 + nth,
    connectionsPerMinute: nth < 3 ? 6 : 0,
    usualPerMinute: 0,
    churns: nth < 3,
    lastOpenedAgoMs: 60_000,
  };
}

function nodeOf(nth: number) {
  const isGone = nth === 401;
  const isDisputed = nth === 217;
  return {
    kind: 'scheduler',
    clusterId: '1',
    hostname: `scheduler-${String(nth).padStart(3, '0')}`,
    ip: `10.2.${nth >> 8}.${nth & 255}`,
    state: isGone ? 'dormant' : 'open',
    alive: !isGone,
    streamsBelow: 1,
    lastBeatAgoMs: 1_000,
    intervalMs: 5_000,
    upstream: null,
    manager: {
      says: isGone ? 'gone' : isDisputed ? 'inactive' : nth === 0 ? 'unknown' : 'active',
      agoMs: 2_000,
      detail: nth === 0 ? 'its cluster is not listed' : '',
      disputedForMs: isDisputed ? 90_000 : null,
    },
    replica: 'gateway-0',
    reopenings: isGone ? 2 : 0,
    lastReopened: isGone ? 'link-broken' : null,
  };
}

function entryOf(nth: number) {
  return {
    key: `key-${nth}`,
    method: 'ListSchedulers',
    version: 'v2',
    parts: ['PEER_SOURCE', `worker-${nth}`, `10.1.${nth >> 8}.${nth & 255}`, '', ''],
    audience: 'own',
    secret: false,
    freshness: 'fresh',
    ageMs: 1_000 * nth,
    status: 'OK',
    statusMessage: '',
    sizeBytes: 900,
    uses: 3,
    manager: '0',
    askedHere: true,
    held: null,
  };
}
