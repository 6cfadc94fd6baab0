import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium } from '../../support/chromium.js';
import { openPage, rowsOf } from '../../support/open-page.js';
import { type PageWorld, STEADY, startPageWorld } from '../../support/page-world.js';
import { agree, bePatient, soon } from '../../support/patience.js';
import { ShieldRelay } from '../../support/shield-relay.js';

bePatient();

let world: PageWorld;
let browser: Browser;
let relay: ShieldRelay;

beforeAll(async () => {
  browser = await launchChromium();
  world = await startPageWorld({ timeFactor: 10, daemons: 3, sets: [...STEADY, 'cache.sharing=exact'] });
  relay = await ShieldRelay.start(new URL(world.url).host);
});
afterAll(async () => {
  await browser.close();
  await relay.stop();
  await world.stop();
});

/** Also for whoever has scrolled down. */
const IN_SIGHT = `(() => {
  const { top, bottom } = document.querySelector('#connection').getBoundingClientRect();
  return scrollY > 100 && top >= 0 && bottom <= innerHeight;
})()`;

describe('a page that is not connected any more', () => {
  it('says so, since when, and that it is again', async () => {
    const { page, wrong, close } = await openPage(browser, `http://${relay.address}/`);
    const connection = page.locator('#connection');
    expect(await connection.innerText()).toBe('');
    relay.cut();
    await soon(() => connection.innerText()).toMatch(
      /^Not connected since \d\d:\d\d:\d\d\. What stands here is how it was then/,
    );
    expect(await page.title()).toBe('Not connected – manager-gateway');
    await page.locator('#config').scrollIntoViewIfNeeded();
    await soon(() => page.evaluate<boolean>(IN_SIGHT)).toBe(true);
    relay.heal();
    await soon(() => connection.innerText()).toBe('');
    await soon(() => page.title()).toMatch(/fleet-a/);
    const before = (await rowsOf(page, 'nodes-table')).map(([, , , beat]) => beat);
    await soon(async () => (await rowsOf(page, 'nodes-table')).map(([, , , beat]) => beat)).not.toEqual(
      before,
    );
    expect(wrong).toEqual([]);
    await close();
  });

  it('says so, too, where nothing is heard for 15 s and nothing is cut', async () => {
    const { page, close } = await openPage(browser, `http://${relay.address}/`);
    relay.stall();
    await page.clock.install();
    await page.clock.fastForward(20_000);
    await soon(() => page.locator('#connection').innerText()).toMatch(/^Not connected since/);
    await page.clock.resume();
    relay.heal();
    await close();
  });
});

describe('a gateway that is started anew', () => {
  it('is shown as it is now, with nothing of the one before', async () => {
    const next = await startPageWorld({ timeFactor: 10, daemons: 1, sets: [...STEADY, 'fleet.id=fleet-b'] });
    const { page, wrong, close } = await openPage(browser, `http://${relay.address}/`);
    await world.second.kill();
    await soon(async () => (await textsOf(page)).join()).toMatch(/failed/);
    relay.retarget(new URL(next.url).host);
    relay.blink();
    await soon(() => page.title()).toBe('Well – fleet-b – manager-gateway');
    await agree(
      () => textsOf(page),
      () => warningsOf(next),
    );
    await agree(
      () => timesOf(page),
      () => timesTold(next),
    );
    expect(wrong).toEqual([]);
    await close();
    await next.stop();
    relay.retarget(new URL(world.url).host);
  });
});

describe('what comes late', () => {
  it('takes nothing away from what has come meanwhile', async () => {
    const { page, close } = await openPage(browser, world.url);
    const held: Route[] = [];
    await page.route('**/api/history', (route) => void held.push(route));
    await page.reload();
    await soon(() => held.length).toBe(1);
    const [late] = held as [Route];
    const response = await late.fetch();
    const before = await timesOf(page);
    await soon(() => timesOf(page)).not.toEqual(before);
    await late.fulfill({ response });
    await agree(
      () => timesOf(page),
      () => timesTold(world),
    );
    await close();
  });

  it('is not shown in the place of another answer that is wanted now', async () => {
    const { page, wrong, close } = await openPage(browser, world.url);
    const held: Route[] = [];
    await page.route('**/api/cache/entry*', (route) => {
      if (held.length === 0) held.push(route);
      else void route.continue();
    });
    await page.getByRole('button', { name: /worker-01/ }).click();
    await soon(() => held.length).toBe(1);
    await page.getByRole('button', { name: /worker-02/ }).click();
    await page.locator('#entry').waitFor();
    const shown = () => page.locator('#entry-parts').innerText();
    expect(await shown()).toMatch(/worker-02/);
    const answered = page.waitForResponse('**/api/cache/entry*');
    await held[0]?.continue();
    await answered;
    await page.evaluate('new Promise((after) => requestAnimationFrame(() => setTimeout(after)))');
    expect(await shown()).toMatch(/worker-02/);
    expect(wrong).toEqual([]);
    await close();
  });
});

const textsOf = (page: Page) => page.locator('#warnings-list .words bdi').allInnerTexts();
const timesOf = (page: Page) =>
  page.evaluate<number[]>(
    "import('./page/past.js').then(({ past }) => past.samples.map((one) => one.atWallMs))",
  );

// biome-ignore lint/suspicious/noExplicitAny: answers of two shapes
const get = async ({ url }: PageWorld, path: string): Promise<any> => (await fetch(url + path)).json();
const warningsOf = async (of: PageWorld): Promise<string[]> =>
  (await get(of, 'api/warnings')).warnings.map(({ text }: { text: string }) => text).reverse();
const timesTold = async (of: PageWorld): Promise<number[]> =>
  (await get(of, 'api/history')).samples.map(({ atWallMs }: { atWallMs: number }) => atWallMs);
