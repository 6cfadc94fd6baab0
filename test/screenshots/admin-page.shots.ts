import { mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.js';
import { openPage } from '../support/open-page.js';
import { type PageWorld, startPageWorld } from '../support/page-world.js';
import { smallPng } from './small-png.js';

const FOLDER = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
const TIME_FACTOR = 10;
const MINUTE_MS = 60_000 / TIME_FACTOR;

/** A repository keeps each version for ever. */
const MAX_BYTES = 200_000;

/** A breaker and a diagram need so many callers to show something. */
const DAEMONS = 60;

const DESKTOP = { viewport: { width: 1440, height: 900 } } as const;
const PHONE = { viewport: { width: 390, height: 1700 }, isMobile: true, hasTouch: true } as const;

it('the admin page in the middle of the incident, by light, in the dark, and on a phone', async () => {
  mkdirSync(FOLDER, { recursive: true });
  const world = await startPageWorld({ timeFactor: TIME_FACTOR, daemons: DAEMONS });
  const browser = await launchChromium();
  try {
    // What a browser does the first time takes the gateway's time, too, and would be seen in the curves.
    await shoot(browser, world, 'light', DESKTOP);
    await playTheIncident(world);
    await shoot(browser, world, 'light', { ...DESKTOP, colorScheme: 'light' });
    await shoot(browser, world, 'dark', { ...DESKTOP, colorScheme: 'dark' });
    await shoot(browser, world, 'phone', { ...PHONE, colorScheme: 'dark' });
  } finally {
    await browser.close();
    await world.stop();
  }
});

/** As in the demo: slow first, then in part away, then its database is dead. */
async function playTheIncident({ become, second }: PageWorld): Promise<void> {
  await wait(6 * MINUTE_MS);
  become({ kind: 'slow', delayMs: 120 });
  await wait(2 * MINUTE_MS);
  await second.kill();
  await wait(2 * MINUTE_MS);
  become({ kind: 'database-dead' });
  await wait(4 * MINUTE_MS);
}

async function shoot(
  browser: Browser,
  { url }: PageWorld,
  name: string,
  how: BrowserContextOptions,
): Promise<void> {
  const { page, wrong, close } = await openPage(browser, url, how);
  await page.locator('#managers-table .strip rect').first().waitFor();
  await page.locator('.plot canvas').nth(3).waitFor();
  // One more sample, so that every part has been asked for and drawn.
  await wait(1_000);
  const png = await smallPng(browser, await page.screenshot({ fullPage: name !== 'phone' }));
  expect(png.length).toBeLessThan(MAX_BYTES);
  writeFileSync(`${FOLDER}admin-page-${name}.png`, png);
  expect(wrong).toEqual([]);
  await close();
}
