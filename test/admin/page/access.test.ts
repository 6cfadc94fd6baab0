import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accessibilityFaults } from '../../support/accessibility.js';
import { launchChromium } from '../../support/chromium.js';
import { type OpenPage, openPage } from '../../support/open-page.js';
import { type PageWorld, STEADY, startPageWorld } from '../../support/page-world.js';
import { bePatient, soon } from '../../support/patience.js';

bePatient();

let world: PageWorld;
let browser: Browser;

beforeAll(async () => {
  browser = await launchChromium();
  world = await startPageWorld({
    timeFactor: 10,
    daemons: 3,
    churnMs: 2_000,
    sets: [...STEADY, 'cache.sharing=exact', 'cache.methods.ListSchedulers={ttl: 0s, swr: 0s, exactTtl: 0s}'],
  });
  // As much as can be seen at once: chips and notes of every colour.
  await world.second.kill();
  await world.running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
  world.become({ kind: 'empty-lists' });
});
afterAll(async () => {
  await browser.close();
  await world.stop();
});

const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

async function on<T>(how: BrowserContextOptions, look: (open: OpenPage) => Promise<T>): Promise<T> {
  const open = await openPage(browser, world.url, how);
  try {
    await open.page.locator('#managers-table .strip rect').first().waitFor();
    return await look(open);
  } finally {
    await open.close();
  }
}

describe.each<[string, BrowserContextOptions]>([
  ['by light', { ...DESKTOP, colorScheme: 'light' }],
  ['in the dark', { ...DESKTOP, colorScheme: 'dark' }],
  ['on a phone', { ...PHONE, colorScheme: 'light' }],
])('%s', (_name, how) => {
  it('all can be read, is named and large enough, and nothing has to be scrolled sideways', async () => {
    await on(how, async ({ page, wrong }) => {
      await page.getByText('Show every key').click();
      await page.getByText('The same as a table').click();
      expect(await accessibilityFaults(page)).toEqual([]);
      const [width, room] = await page.evaluate<number[]>(
        '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
      );
      expect(width).toBeLessThanOrEqual(room ?? 0);

      await page.locator('#cache-table tbody button').first().click();
      await page.locator('#entry').waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'observe', exact: true }).click();
      await page.locator('#confirm').waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.getByRole('button', { name: 'Switch to observe' }).click();
      await page.getByRole('button', { name: 'Use it' }).waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      await page.keyboard.press('Escape');
      await page.locator('#outcome').waitFor();
      expect(await accessibilityFaults(page)).toEqual([]);
      expect(wrong).toEqual([]);
    });
  });
});

/** What has the focus: its name, and whether that can be seen. */
const FOCUSED = `(() => {
  const it = document.activeElement;
  const style = getComputedStyle(it);
  return [it.id || it.textContent.trim(), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2, it.closest('dialog')?.id ?? ''];
})()`;
const focused = (page: Page) => page.evaluate<[name: string, isSeen: boolean, dialog: string]>(FOCUSED);

describe('without a mouse', () => {
  it('everything is reached, and where one is can be seen', async () => {
    await on(DESKTOP, async ({ page }) => {
      const seen: string[] = [];
      for (let step = 0; step < 60; step++) {
        await page.keyboard.press('Tab');
        const [name, isSeen] = await focused(page);
        expect([name, isSeen]).toEqual([name, true]);
        seen.push(name);
        if (name === 'Show every key; secrets are only said to be set') break;
      }
      expect(seen[0]).toBe('Skip to the content');
      expect(seen).toEqual(
        expect.arrayContaining([
          'Managers',
          'theme',
          'answer',
          'observe',
          '10 minutes',
          '15 min',
          'Forget…',
          'cache-method',
          'cache-find',
          'cache-held',
          'cache-drop',
        ]),
      );
      expect(seen.at(-1)).toBe('Show every key; secrets are only said to be set');
    });
  });

  it('a dialog keeps the focus, lets go of it with Escape, and gives it back', async () => {
    await on(DESKTOP, async ({ page }) => {
      const row = page.locator('#cache-table tbody button').first();
      await row.focus();
      await page.keyboard.press('Enter');
      await page.locator('#entry').waitFor();
      for (let step = 0; step < 12; step++) {
        await page.keyboard.press('Tab');
        // Behind the last there is the browser's own bar, and then the dialog again.
        const [name, , dialog] = await focused(page);
        if (dialog !== 'entry')
          expect(await page.evaluate('document.activeElement === document.body')).toBe(true);
        else expect(name).not.toBe('');
      }
      await page.keyboard.press('Escape');
      await soon(() => page.evaluate("document.activeElement.matches('#cache-table tbody button')")).toBe(
        true,
      );
      await page.getByRole('button', { name: 'observe', exact: true }).focus();
      await page.keyboard.press('Enter');
      await page.locator('#confirm').waitFor();
      expect((await focused(page))[0]).toBe('confirm-no');
      await page.keyboard.press('Enter');
      await soon(async () => (await focused(page))[0]).toBe('observe');
    });
  });
});

describe('whoever wants it', () => {
  it('light has it light in the dark, also after loading it again', async () => {
    await on({ ...DESKTOP, colorScheme: 'dark' }, async ({ page }) => {
      const background = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      const dark = await background();
      await page.getByLabel('Theme').selectOption('light');
      const light = await background();
      expect(light).not.toBe(dark);
      await page.reload();
      expect(await background()).toBe(light);
      expect(await page.getByLabel('Theme').inputValue()).toBe('light');
      await page.getByLabel('Theme').selectOption('');
      expect(await background()).toBe(dark);
    });
  });

  it('still sees nothing move', async () => {
    const durations =
      "[...document.querySelectorAll('*')].map((one) => getComputedStyle(one)).flatMap((style) => [style.transitionDuration, style.animationDuration]).concat(getComputedStyle(document.documentElement).scrollBehavior)";
    await on({ ...DESKTOP, reducedMotion: 'reduce' }, async ({ page }) => {
      expect([...new Set(await page.evaluate<string[]>(durations))].sort()).toEqual(['0s', 'auto']);
    });
  });
});
