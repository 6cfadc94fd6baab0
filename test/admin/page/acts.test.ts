import type { Browser, Page, Request } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createManagerRecord } from '../../../src/simulator/manager/memory-record.js';
import {
  type SimulatedManager,
  startSimulatedManager,
} from '../../../src/simulator/manager/simulated-manager.js';
import { connectCaller } from '../../support/caller.js';
import { launchChromium } from '../../support/chromium.js';
import { requestOf } from '../../support/data-path.js';
import { closeDialogs, factsOf, type OpenPage, openPage, rowsOf } from '../../support/open-page.js';
import { type PageWorld, STEADY, startPageWorld, TOKEN } from '../../support/page-world.js';
import { bePatient, soon } from '../../support/patience.js';
import { type RunningGateway, startGateway } from '../../support/running-gateway.js';

const LIST = '/manager.v2.Manager/ListSchedulers';

bePatient();

let world: PageWorld;
let browser: Browser;
let open: OpenPage;
let page: Page;

beforeAll(async () => {
  browser = await launchChromium();
  world = await startPageWorld({
    timeFactor: 10,
    daemons: 2,
    sets: [...STEADY, 'cache.sharing=exact', 'cache.methods.ListSchedulers={ttl: 0s, swr: 0s, exactTtl: 0s}'],
  });
  open = await openPage(browser, world.url);
  page = open.page;
});
// One that fails in the middle does not take the next ones with it, nor does what one has told answer for the next.
afterEach(async () => {
  await closeDialogs(page);
  await page.evaluate("document.querySelector('#outcome p').textContent = ''");
  await page.getByLabel('Caller or part').fill('');
  await page.getByLabel('Method').selectOption('');
  world.become();
});
afterAll(async () => {
  await browser.close();
  await world.stop();
});

const click = (name: string | RegExp): Promise<void> =>
  page.getByRole('button', { name, exact: true }).click();
const outcome = () => page.locator('#outcome p').innerText();
const here = () => page.locator('#entry .outcome-here').innerText();
const acted = () => world.running.events.filter(({ kind }) => kind === 'operator-acted').length;

async function give(token: string): Promise<void> {
  await page.getByLabel('Token', { exact: true }).fill(token);
  await click('Use it');
}

/** A page that has no token yet. */
async function anew(): Promise<void> {
  await open.close();
  open = await openPage(browser, world.url);
  page = open.page;
}

describe('without the token', () => {
  it('nothing is done, and that is said', async () => {
    await click('10 minutes');
    await soon(() => page.locator('#token').isVisible()).toBe(true);
    await click('Cancel');
    await soon(outcome).toBe('Refused: nothing is done without the token.');
    expect(await page.locator('#outcome').getAttribute('data-kind')).toBe('refused');
    expect(await page.locator('#outcome-said').innerText()).toBe(await outcome());
    expect(await page.locator('#maintenance-state').innerText()).toBe('Off.');
    expect(acted()).toBe(0);
  });

  it('nothing is done with a wrong one either, which is asked for again', async () => {
    await click('10 minutes');
    await give('wrong');
    await soon(() => page.locator('#token-wrong').innerText()).toBe('Refused: that is not the token.');
    await world.running.seen(({ kind }) => kind === 'operator-refused');
    await page.keyboard.press('Escape');
    await soon(outcome).toBe('Refused: nothing is done without the token.');
    expect(acted()).toBe(0);
  });

  it.each<[string, readonly string[]]>([
    ['mode', ['observe', 'Switch to observe']],
    ['maintenance', ['60 minutes']],
    ['reload', ['Read it again']],
    ['nodes/forget', ['Forget scheduler-00001…', 'Forget it']],
    ['cache/drop', ['Drop everything…', 'Drop everything']],
    ['cache/refresh', ['Refresh']],
    ['cache/drop', ['Drop…', 'Drop it']],
  ])('%s is not even asked for', async (path, buttons) => {
    const posted: string[] = [];
    const note = (request: Request): unknown => request.method() === 'POST' && posted.push(request.url());
    page.on('request', note);
    if (buttons[0] === 'Refresh' || buttons[0] === 'Drop…') {
      await page.locator('#cache-table tbody button').first().click();
      await page.locator('#entry').waitFor();
    }
    for (const button of buttons) await click(button);
    await page.locator('#token').waitFor();
    await page.locator('#token').getByRole('button', { name: 'Cancel' }).click();
    await soon(() => page.locator('#outcome p, .outcome-here').allInnerTexts()).toContain(
      'Refused: nothing is done without the token.',
    );
    page.off('request', note);
    expect(posted).toEqual([]);
    // Nor would it help to go round the page.
    const response = await fetch(`${world.url}api/${path}`, { method: 'POST', body: '{}' });
    expect(response.status).toBe(401);
    expect(acted()).toBe(0);
  });
});

describe('with the token', () => {
  it('maintenance begins and ends; it is asked for once, kept nowhere, and can be forgotten', async () => {
    await anew();
    await click('10 minutes');
    await give(TOKEN);
    await soon(outcome).toBe('Maintenance for 10 minutes: callers get what is remembered.');
    await soon(() => page.locator('#maintenance-state').innerText()).toMatch(/^On, for (10|9) min/);
    await click('End it now');
    await soon(outcome).toBe('Maintenance has ended.');
    await soon(() => page.locator('#maintenance-state').innerText()).toBe('Off.');
    const kept = await page.evaluate(
      'JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.documentElement.outerHTML, document.querySelector("#token-input").value])',
    );
    expect(kept).not.toContain(TOKEN);
    await click('forget it');
    await click('10 minutes');
    await soon(() => page.locator('#token').isVisible()).toBe(true);
  });

  it('the mode is switched by whoever has read what that means', async () => {
    await anew();
    await click('observe');
    await soon(() => page.locator('#confirm-text').innerText()).toMatch(
      /Callers then depend on the manager again/,
    );
    await click('Cancel');
    expect(world.running.gateway.mode).toBe('answer');
    await click('observe');
    await click('Switch to observe');
    await give(TOKEN);
    await soon(outcome).toBe('The mode is observe now.');
    expect(world.running.gateway.mode).toBe('observe');
    await soon(() =>
      page.getByRole('button', { name: 'observe', exact: true }).getAttribute('aria-pressed'),
    ).toBe('true');
    await soon(() => page.locator('#health-word').innerText()).toBe('Take care');
    await click('answer');
    await soon(outcome).toBe('The mode is answer now.');
    expect(world.running.gateway.mode).toBe('answer');
  });

  it('an answer is refreshed, accepted where the guard holds it back, and dropped', async () => {
    const show = async (): Promise<void> => {
      await page.getByLabel('Caller or part').fill('worker-02');
      await page.getByRole('button', { name: /worker-02/ }).click();
    };
    await show();
    await click('Refresh');
    await soon(here).toBe('The manager answers OK.');
    expect(await page.locator('#entry').innerText()).toContain(
      'the manager itself may answer with what is up to 8.5 minutes old',
    );
    await page.keyboard.press('Escape');
    await page.locator('#entry').waitFor({ state: 'hidden' });

    world.become({ kind: 'empty-lists' });
    await soon(async () => (await rowsOf(page, 'cache-table'))[0]?.[1]).toBe('held back: empty-list');
    await show();
    await click('Accept what is held back…');
    await click('It is right: accept it');
    await soon(here).toBe('The manager answers OK.');
    await soon(async () => JSON.parse(await page.locator('#entry-answer').innerText())).toEqual({
      schedulers: [],
    });
    await soon(() => page.getByRole('button', { name: 'Accept what is held back…' }).isVisible()).toBe(false);

    await click('Drop…');
    await click('Drop it');
    await soon(outcome).toBe('Dropped.');
    expect(await page.locator('#entry').isVisible()).toBe(false);
  });

  it('all answers to a method are dropped', async () => {
    await page.getByLabel('Method').selectOption('ListSchedulers');
    await soon(async () => (await rowsOf(page, 'cache-table'))[0]?.[0]).toMatch(/^ListSchedulers/);
    await click('Drop all of ListSchedulers…');
    await soon(() => page.locator('#confirm-text').innerText()).toMatch(/callers get errors/);
    await click('Drop all of ListSchedulers');
    await soon(outcome).toMatch(/^\d+ dropped\.$/);
  });

  it('a node is forgotten', async () => {
    await soon(async () => (await rowsOf(page, 'nodes-table')).length).toBe(5);
    await click('Forget scheduler-00000…');
    await soon(() => page.locator('#confirm-text').innerText()).toMatch(
      /^Its stream ends here and at the manager/,
    );
    await click('Forget it');
    await soon(outcome).toBe('scheduler-00000 is forgotten.');
    await world.running.seen((event) => event.kind === 'node-ended' && event.reason === 'forgotten');
  });

  it('what fails is said as the gateway says it', async () => {
    await page.route('**/api/maintenance', (route) => route.fulfill({ status: 409, body: 'not now\n' }));
    await click('30 minutes');
    await soon(outcome).toBe('Not done: not now');
    await page.unroute('**/api/maintenance');
    await page.route('**/api/maintenance', (route) => route.abort());
    await click('30 minutes');
    await soon(outcome).toBe('The gateway did not answer; it may be done, or not.');
    await page.unroute('**/api/maintenance');
    expect(open.wrong).toEqual([]);
  });
});

describe('a gateway', () => {
  let manager: SimulatedManager;
  let running: RunningGateway;
  let other: OpenPage;
  let reread: readonly string[] = [];
  const start = async (token: string): Promise<void> => {
    const record = createManagerRecord();
    record.addCluster({ id: 1, name: 'cluster-1' });
    for (const hostname of ['a', 'b', 'c'])
      record.addScheduler({ hostname, ip: '127.0.0.3', clusterId: 1, state: 'active' });
    manager = await startSimulatedManager({ record });
    running = await startGateway({
      managers: [manager.address],
      sets: [
        'admin.enable=true',
        'admin.addr=127.0.0.1:0',
        `admin.token=${token}`,
        'managers.probe.interval=1s',
      ],
      reread: () => reread,
    });
    const caller = await connectCaller(running.address);
    await caller.call(LIST, requestOf(LIST, { hostname: 'daemon-x', ip: '127.0.0.2' }));
    await caller.close();
    other = await openPage(browser, `http://127.0.0.1:${running.bound.admin?.port}/`);
  };
  afterEach(async () => {
    await other.close();
    await running.gateway.stop();
    await manager.stop();
  });

  it('that sees another manager says so at the top, and accepts it', async () => {
    await start(TOKEN);
    const { port } = manager;
    await manager.stop();
    await running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
    manager = await startSimulatedManager({ record: createManagerRecord(), port });
    await running.seen(({ kind }) => kind === 'world-frozen');
    await soon(() => other.page.locator('#another').isVisible()).toBe(true);
    expect(await other.page.locator('#another-why').innerText()).not.toBe('');
    await other.page.getByRole('button', { name: 'Accept this manager…' }).click();
    await other.page.getByRole('button', { name: 'It is: accept this manager' }).click();
    await other.page.getByLabel('Token', { exact: true }).fill(TOKEN);
    await other.page.keyboard.press('Enter');
    await soon(() => other.page.locator('#outcome p').innerText()).toBe('This manager is accepted.');
    await soon(() => other.page.locator('#another').isVisible()).toBe(false);
    expect(other.wrong).toEqual([]);
  });

  it('reads its configuration again, and says what it refuses, what it takes and what needs a restart', async () => {
    await start(TOKEN);
    const text = (id: string) => () => other.page.locator(`#${id}`).innerText();
    reread = ['cache.responseTimer=soon'];
    await other.page.getByRole('button', { name: 'Read it again' }).click();
    await other.page.getByLabel('Token', { exact: true }).fill(TOKEN);
    await other.page.keyboard.press('Enter');
    await soon(() => other.page.locator('#outcome p').innerText()).toMatch(
      /^Not done: .*cache\.responseTimer/,
    );
    await soon(text('config-refused')).toMatch(
      /^Refused at [\d:]{8}; what ran before goes on:\s+cache\.responseTimer/,
    );
    await soon(text('sentence-text')).toBe('The changed configuration is refused; what ran before goes on.');

    reread = ['cache.responseTimer=700ms', 'cache.sharing=exact'];
    await other.page.getByText('Show every key').click();
    await other.page.getByRole('button', { name: 'Read it again' }).click();
    await soon(() => other.page.locator('#outcome p').innerText()).toBe(
      'The configuration was read: new: cache.responseTimer; for a restart: cache.sharing.',
    );
    await soon(() => other.page.locator('#config-refused').isVisible()).toBe(false);
    await soon(text('config-restart')).toBe('Changed, and for the next restart: cache.sharing.');
    await soon(() => factsOf(other.page, 'config-list')).toMatchObject({
      'cache.responseTimer': '700 ms',
      'cache.sharing': 'scope',
    });
    expect(other.wrong).toEqual([]);
  });

  it('without admin.token says that nobody may, and asks nobody for one', async () => {
    await start('');
    expect(await other.page.locator('#act-note').innerText()).toBe(
      'Nobody may act here: admin.token is not set.',
    );
    await other.page.getByRole('button', { name: '10 minutes' }).click();
    await soon(() => other.page.locator('#outcome p').innerText()).toBe(
      'Refused: admin.token is not set, so nobody may.',
    );
    expect(await other.page.locator('#token').isVisible()).toBe(false);
  });
});
