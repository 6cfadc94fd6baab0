import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { createManagerRecord } from '../../../src/simulator/manager/memory-record.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../../src/simulator/manager/simulated-manager.js';
import { connectCaller } from '../../support/caller.js';
import { launchChromium } from '../../support/chromium.js';
import { requestOf } from '../../support/data-path.js';
import { openPage } from '../../support/open-page.js';
import { bePatient, soon } from '../../support/patience.js';
import { type RunningGateway, startGateway } from '../../support/running-gateway.js';
import { connectPeer, type StreamPeer } from '../../support/shield-stream.js';

const LIST = '/manager.v2.Manager/ListSchedulers';
const EVIL = '<img src=x onerror="window.broken=1">';
/** The same without blanks: only the first word of a user agent is shown. */
const EVIL_PROGRAM = '<img/src=x/onerror=window.broken=1>';
/** Turns round what stands behind it. */
const TURNED = '‮';

bePatient();

let browser: Browser;
let manager: SimulatedManager;
let running: RunningGateway;
let peer: StreamPeer;
let url: string;

beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());
beforeEach(async () => {
  const record = createManagerRecord();
  record.addCluster({ id: 1, name: EVIL });
  record.addScheduler({ hostname: EVIL, ip: '127.0.0.3', clusterId: 1, state: 'active' });
  manager = await startSimulatedManager({ record });
  running = await startGateway({
    managers: [manager.address],
    sets: [
      'admin.enable=true',
      'admin.addr=127.0.0.1:0',
      'cache.sharing=exact',
      'managers.probe.interval=1s',
    ],
  });
  url = `http://127.0.0.1:${running.bound.admin?.port}/`;
  peer = await connectPeer(running.address);
});
afterEach(async () => {
  await peer.close();
  await running.gateway.stop();
  await manager.stop();
});

/** Nothing came of it: no picture, no script, no question to anybody. */
async function inert(page: Page, asked: readonly string[]): Promise<void> {
  // A picture that cannot be had says so after it was put there.
  await page.evaluate('new Promise((after) => requestAnimationFrame(() => setTimeout(after)))');
  expect(await page.evaluate('window.broken')).toBe(undefined);
  expect(await page.locator('img').count()).toBe(1);
  expect(asked.filter((one) => !/^\/(page\/[\w.-]+|api\/.*)?$/.test(one))).toEqual([]);
}

function noteRequests(page: Page): string[] {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname, search } = new URL(request.url());
    asked.push(pathname + search);
  });
  return asked;
}

it('what callers, nodes and answers call themselves is text', async () => {
  const caller = await connectCaller(running.address, { 'user-agent': EVIL_PROGRAM });
  const asked = requestOf(LIST, {
    hostname: 'a',
    ip: '127.0.0.2',
    idc: EVIL,
    location: `turned ${TURNED}round`,
  });
  expect((await caller.call(LIST, asked)).code).toBe(0);
  await caller.close();
  // A manager would refuse such a name; while there is none, the node waits for it.
  await manager.stop();
  await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
  peer.open({ kind: 'scheduler', hostname: EVIL, clusterId: 1, ip: '127.0.0.3' }, 'v2').beat();
  await soon(async () => (await fetch(`${url}api/nodes`)).text()).toContain('onerror');

  const { page, wrong, close } = await openPage(browser, url);
  const requests = noteRequests(page);
  await page.locator('#nodes-table tbody tr', { hasText: EVIL }).waitFor();
  await soon(() => page.locator('#callers-table').innerText()).toContain(EVIL_PROGRAM);
  await soon(() => page.locator('#cache-table').innerText()).toContain(
    `a · 127.0.0.2 · ${EVIL} · turned \\u{202e}round`,
  );
  await page.getByRole('button', { name: /^ListSchedulers/ }).click();
  await page.locator('#entry').waitFor();
  expect(JSON.parse(await page.locator('#entry-answer').innerText()).schedulers[0].hostname).toBe(EVIL);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: `Forget ${EVIL}…` }).click();
  await inert(page, requests);
  expect(wrong).toEqual([]);
  await close();
});

it('whatever the API says, in whichever place, is text', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  const requests = noteRequests(page);
  const caller = await connectCaller(running.address);
  await caller.call(LIST, requestOf(LIST, { hostname: 'a', ip: '127.0.0.2' }));
  await caller.close();
  await page.route('**/api/**', async (route) => {
    const { pathname, search } = new URL(route.request().url());
    if (pathname !== '/api/events') {
      const answer = await (await fetch(new URL(pathname + search, url))).json();
      return route.fulfill({ json: poisoned(answer) });
    }
    const status = poisoned(await (await fetch(`${url}api/status`)).json());
    const warning = { id: 1, count: 2, level: EVIL, event: EVIL, text: EVIL, at: EVIL, firstAt: EVIL };
    const body = `event: status\ndata: ${JSON.stringify(status)}\n\nevent: warning\ndata: ${JSON.stringify(warning)}\n\n`;
    return route.fulfill({ contentType: 'text/event-stream', body });
  });
  await page.goto(url);
  for (const place of [
    '#sentence-text',
    '#another-why',
    '#fleet',
    '#managers-table',
    '#callers-table',
    '#cache-table',
    '#warnings-list',
    '#config-refused-why',
  ])
    await page.locator(place, { hasText: EVIL }).first().waitFor({ state: 'attached' });
  await page.getByText('Show every key').click();
  await page.locator('#config-list', { hasText: EVIL }).waitFor();
  await page.locator('#cache-table tbody button').first().click();
  await page.locator('#entry', { hasText: EVIL }).waitFor();
  await inert(page, requests);
  expect(errors).toEqual([]);
  await context.close();
});

/** The same, with every text in it replaced but the keys of entries, by which the page asks for them. */
function poisoned(value: unknown): unknown {
  if (typeof value === 'string') return EVIL;
  if (Array.isArray(value)) return value.map(poisoned);
  if (typeof value !== 'object') return value;
  // What is not there could be.
  if (value === null) return EVIL;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => {
      if (name === 'refused') return [name, { at: EVIL, detail: EVIL }];
      return [name, name === 'key' ? inner : poisoned(inner)];
    }),
  );
}
