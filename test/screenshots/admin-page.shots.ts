import { mkdirSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { expect, it } from 'vitest';
import { launchChromium } from '../support/chromium.js';
import { type PageWorld, startPageWorld } from '../support/page-world.js';

const FOLDER = process.env.SHOTS ?? fileURLToPath(new URL('../../docs/screenshots/', import.meta.url));
const TIME_FACTOR = 10;
const MINUTE_MS = 60_000 / TIME_FACTOR;
const FAST = Number(process.env.SHOTS_MINUTES ?? 1);

const DESKTOP = { viewport: { width: 1440, height: 1000 } } as const;
const PHONE = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 1,
  isMobile: true,
  hasTouch: true,
} as const;

it('the admin page in the middle of the incident', async () => {
  mkdirSync(FOLDER, { recursive: true });
  const world = await startPageWorld({ timeFactor: TIME_FACTOR, daemons: 24 });
  const browser = await launchChromium();
  try {
    await playTheIncident(world);
    await shoot(browser, world, 'light', { ...DESKTOP, colorScheme: 'light' });
    await shoot(browser, world, 'dark', { ...DESKTOP, colorScheme: 'dark' });
    await shoot(browser, world, 'phone', { ...PHONE, colorScheme: 'dark' });
  } finally {
    await browser.close();
    await world.stop();
  }
});

async function playTheIncident({ become, second }: PageWorld): Promise<void> {
  await wait(5 * MINUTE_MS * FAST);
  become({ kind: 'slow', delayMs: 150 });
  await wait(2 * MINUTE_MS * FAST);
  await second.kill();
  await wait(2 * MINUTE_MS * FAST);
  become({ kind: 'database-dead' });
  await wait(3 * MINUTE_MS * FAST);
}

async function shoot(
  browser: Browser,
  { url }: PageWorld,
  name: string,
  how: BrowserContextOptions,
): Promise<void> {
  const context = await browser.newContext({ ...how, timezoneId: 'UTC', locale: 'en' });
  const page = await context.newPage();
  await page.goto(url);
  await page.locator('#managers-table tbody tr .strip rect').first().waitFor();
  await page.locator('#cache-table tbody tr .chip').first().waitFor();
  await wait(1_000);
  await page.screenshot({
    path: `${FOLDER}/admin-${name}.png`,
    fullPage: process.env.SHOTS_FULL !== undefined,
  });
  expect(await page.locator('#sentence-text').textContent()).not.toBe('');
  await context.close();
}
