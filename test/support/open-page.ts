import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { PATIENCE_MS } from './patience.js';

/** The admin page in a browser, with all that was wrong there: errors and warnings of the console, breaches of its policy. */
export interface OpenPage {
  readonly page: Page;
  readonly wrong: readonly string[];
  close(): Promise<void>;
}

const POLICY = fileURLToPath(new URL('./browser/policy.js', import.meta.url));

/** A refused POST and a gateway that is away are errors to the browser, and wanted by the tests. */
const EXPECTED = /^error: Failed to load resource: (the server responded with a status of 40[139]|net::ERR_)/;

/** Resolves when it has shown the answers of the API for the first time. `prepare`: before it is opened. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  prepare: (context: BrowserContext) => Promise<void> = () => Promise.resolve(),
): Promise<OpenPage> {
  const context = await browser.newContext({ timezoneId: 'UTC', locale: 'en', ...options });
  await prepare(context);
  const wrong: string[] = [];
  const note = (what: string): void => {
    if (!EXPECTED.test(what)) wrong.push(what);
  };
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      note(`${message.type()}: ${message.text()}`);
  });
  page.on('pageerror', (error) => note(`thrown: ${error}`));
  page.on('dialog', (dialog) => {
    note(`a stranger's dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  await page.addInitScript({ path: POLICY });
  await page.goto(url);
  await page.locator('#health:not([data-health="unknown"])').waitFor();
  await page.locator('#cache-table tbody tr').first().waitFor();
  return { page, wrong, close: () => context.close() };
}

/** The rows of a table as they can be read: one text per cell, its lines one after the other. */
export function rowsOf(page: Page, table: string): Promise<string[][]> {
  const rows = `[...document.querySelectorAll('#${table} tbody tr')]`;
  return page.evaluate(
    `${rows}.map((row) => [...row.children].map((cell) => cell.innerText.replace(/\\s+/g, ' ').trim()))`,
  );
}

/** The words with a colour, row by row. */
export function chipsOf(page: Page, table: string): Promise<string[][]> {
  const rows = `[...document.querySelectorAll('#${table} tbody tr')]`;
  return page.evaluate(
    `${rows}.map((row) => [...row.querySelectorAll('.chip')].map((chip) => chip.innerText))`,
  );
}

/** What is said after each term of a list. */
export async function factsOf(page: Page, list: string): Promise<Record<string, string>> {
  const items = `[...document.querySelectorAll('#${list} > div')]`;
  return page.evaluate(
    `Object.fromEntries(${items}.map((one) => [...one.children].map((child) => child.innerText)))`,
  );
}

/** As Escape does, one upon the other. */
export function closeDialogs(page: Page): Promise<void> {
  return page.evaluate("for (const open of document.querySelectorAll('dialog[open]')) open.close()");
}
