import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectCaller } from '../../support/caller.js';
import { launchChromium } from '../../support/chromium.js';
import { requestOf } from '../../support/data-path.js';
import { chipsOf, closeDialogs, factsOf, type OpenPage, openPage, rowsOf } from '../../support/open-page.js';
import { type PageWorld, STEADY, startPageWorld, TOKEN } from '../../support/page-world.js';
import { agree, bePatient, soon } from '../../support/patience.js';

const GET_SCHEDULER = '/manager.v2.Manager/GetScheduler';

bePatient();

let world: PageWorld;
let browser: Browser;
let open: OpenPage;

beforeAll(async () => {
  browser = await launchChromium();
  world = await startPageWorld({
    timeFactor: 10,
    daemons: 6,
    churnMs: 2_000,
    // Each daemon has its own answer, and a few failures open a breaker.
    sets: [...STEADY, 'cache.sharing=exact', 'breaker.volumeThreshold=2'],
  });
  open = await openPage(browser, world.url, { viewport: { width: 1440, height: 900 } });
});
// One that fails in the middle does not take the next ones with it.
afterEach(async () => {
  await closeDialogs(open.page);
  await open.page.getByLabel('Caller or part').fill('');
  await open.page.getByLabel(/held back by the guard/).uncheck();
});
afterAll(async () => {
  await browser.close();
  await world.stop();
});

// biome-ignore lint/suspicious/noExplicitAny: answers of several shapes, each looked at by its test
const get = async (path: string): Promise<any> => (await fetch(world.url + path)).json();

const sentence = () => open.page.locator('#sentence-text').innerText();
const nodesOf = (nodes: { hostname: string; kind: string; ip: string }[]): string[] =>
  nodes.map(({ hostname, kind, ip }) => `${hostname} ${kind}, cluster 1, ${ip}`);

describe('while all is well, the page shows', () => {
  it('how it is in one sentence, in words, by a colour and for whoever hears it', async () => {
    const { page } = open;
    await agree(
      async () => [await page.locator('#health').getAttribute('data-health'), await sentence()],
      async () => {
        const { health, sentence } = await get('api/status');
        return [health, sentence];
      },
    );
    await soon(() => page.locator('#health-word').innerText()).toBe('Well');
    expect(await page.locator('[aria-live="polite"]').innerText()).toMatch(
      /^Well: All is well: all 2 manager/,
    );
    expect(await page.title()).toBe('Well – fleet-a – manager-gateway');
  });

  it('the nodes, with their state here and at the manager', async () => {
    const all = ['scheduler', 'scheduler', 'scheduler', 'scheduler', 'seed-peer'];
    await soon(async () => {
      const { nodes } = await get('api/nodes');
      return nodes.filter(({ state }: { state: string }) => state === 'open').length;
    }).toBe(all.length);
    await agree(
      async () => {
        const chips = await chipsOf(open.page, 'nodes-table');
        return (await rowsOf(open.page, 'nodes-table')).map(([name], nth) => [name, ...(chips[nth] ?? [])]);
      },
      async () => {
        const { nodes } = await get('api/nodes');
        return nodesOf(nodes).map((name, nth) => [
          name,
          nodes[nth].state,
          nodes[nth].manager?.says ?? 'not asked',
        ]);
      },
    );
    const [[, , there, lastBeat, replica, act] = []] = await rowsOf(open.page, 'nodes-table');
    expect(there).toMatch(/^active asked \d+ (ms|s|min).* ago$/);
    expect(lastBeat).toMatch(/^\d+ (ms|s)/);
    expect([replica, act]).toEqual(['–', 'Forget…']);
    await soon(() => open.page.locator('#nodes-replica').isVisible()).toBe(true);
  });

  it('who calls, first who opens again and again', async () => {
    await soon(async () => (await get('api/callers')).callers[0]?.churns).toBe(true);
    await agree(
      async () => (await rowsOf(open.page, 'callers-table')).map(([name, now]) => `${name}: ${now}`).sort(),
      async () => {
        const { callers } = await get('api/callers');
        return callers
          .map(
            ({ address, kind, churns, open: now }: Record<string, unknown>) =>
              `${address} ${kind}${churns ? ' churns' : ''}: ${now}`,
          )
          .sort();
      },
    );
    await soon(() => open.page.locator('#callers-count').innerText()).toBe(
      '8, 1 of them opens again and again',
    );
    await soon(async () => (await rowsOf(open.page, 'callers-table'))[0]?.[0]).toBe(
      '127.77.9.1 grpc-go/1.64.0 churns',
    );
  });

  it('what is remembered, and what it says', async () => {
    const { page } = open;
    await agree(
      async () =>
        (await rowsOf(page, 'cache-table')).map(([name, , , size, , from]) => [name, size, from]).sort(),
      async () => {
        const { entries } = await get('api/cache?limit=50');
        return entries
          .map(({ method, version, status, parts, sizeBytes, manager }: Entry) => [
            `${method} ${version}${status === 'OK' ? '' : ` ${status}`} ${wordsOf(parts)}`,
            sizeBytes < 1_024 ? `${sizeBytes} B` : `${+(sizeBytes / 1_024).toFixed(1)} KiB`,
            `manager ${manager}`,
          ])
          .sort();
      },
    );
    const remembered = async () => {
      const { entries } = await get('api/cache?find=worker-02');
      return (await get(`api/cache/entry?key=${encodeURIComponent(entries[0].key)}`)).answer;
    };
    // Who asked before a scheduler was active was told of none, until he asked again.
    await soon(async () => (await remembered()).schedulers.length).toBeGreaterThan(0);
    await page.getByLabel('Caller or part').fill('WORKER-02');
    await agree(
      async () => (await rowsOf(page, 'cache-table')).map(([name]) => name),
      async () => ['ListSchedulers v2 PEER_SOURCE · worker-02 · 127.77.1.2 · idc-b · asia|cn|sh'],
    );
    await page.getByRole('button', { name: /worker-02/ }).click();
    await page.locator('#entry').waitFor();
    const answer = await remembered();
    expect(JSON.parse(await page.locator('#entry-answer').innerText())).toEqual(answer);
    expect(answer.schedulers[0].hostname).toMatch(/^scheduler-/);
    await soon(() => factsOf(page, 'entry-facts')).toMatchObject({
      Status: 'OK',
      From: expect.stringMatching(/^manager [01]$/),
      For: 'this caller',
    });
  });

  it('what the curves show, in figures', async () => {
    const { page } = open;
    await page.getByText('The same as a table').click();
    // Of whole minutes of the gateway, which last 6 s here; what is under way changes between two looks.
    const minuteOf = ({ atWallMs }: { atWallMs: number }): number => Math.floor((atWallMs - 1) / 60_000);
    await soon(async () => (await rowsOf(page, 'figures-table')).length).toBeGreaterThan(1);
    const [, [until1, ...figures] = []] = await rowsOf(page, 'figures-table');
    const { samples } = await get('api/history');
    const last = samples.find(({ atWallMs }: { atWallMs: number }) =>
      new Date(atWallMs).toISOString().includes(`T${until1}`),
    );
    const its = samples.filter((sample: { atWallMs: number }) => minuteOf(sample) === minuteOf(last));
    const sum = (of: (sample: Sample) => number): string =>
      String(its.reduce((all: number, sample: Sample) => all + of(sample), 0));
    expect(figures.slice(0, 6)).toEqual([
      sum(({ answers }) => answers.hit ?? 0),
      sum(({ answers }) => answers.stale ?? 0),
      sum(({ answers }) => answers.miss ?? 0),
      sum(({ answers }) => answers.forwarded ?? 0),
      sum(({ answers }) => answers.local ?? 0),
      sum(({ answers }) => answers.refused ?? 0),
    ]);
    expect(figures.slice(7, 9)).toEqual([sum(({ attempts }) => attempts), sum(({ faults }) => faults)]);
    expect(figures[10]).toBe(sum(({ connectionsOpened }) => connectionsOpened));
    expect(figures.slice(-2)).toEqual([String(last.connections), String(last.channelsReady)]);
    await page.getByText('The same as a table').click();
  });

  it('curves that are drawn, and as much of them as is wanted', async () => {
    const { page } = open;
    await soon(() => page.locator('.plot canvas').count()).toBe(4);
    await soon(async () => Math.min(...(await page.evaluate<number[]>(INKED)))).toBeGreaterThan(500);
    await page.getByRole('button', { name: '5 min', exact: true }).click();
    expect(await page.getByRole('button', { name: '5 min', exact: true }).getAttribute('aria-pressed')).toBe(
      'true',
    );
    expect(await page.getByRole('button', { name: '15 min' }).getAttribute('aria-pressed')).toBe('false');
    await page.locator('.plot').first().hover();
    await soon(() => page.locator('figcaption').first().innerText()).toMatch(/ at \d\d:\d\d:\d\d$/);
  });

  it('the configuration that runs, and no secret of it', async () => {
    const { page } = open;
    await page.getByText('Show every key').click();
    expect(await page.locator('#config-read').innerText()).toMatch(
      /^What runs was read at \d\d:\d\d:\d\d\.$/,
    );
    expect(await page.locator('#config-refused').isVisible()).toBe(false);
    await soon(() => factsOf(page, 'config-list')).toMatchObject({
      'cache.responseTimer': '5 s',
      'cache.sharing': 'exact',
      'server.maxMessageBytes': '4 MiB',
      'admin.token': '(set)',
    });
    expect(await page.content()).not.toContain(TOKEN);
    await page.getByText('Show every key').click();
  });
});

describe('in the incident, the page shows', () => {
  it('that the guard holds an empty list back, and since when', async () => {
    const { page } = open;
    world.become({ kind: 'empty-lists' });
    await soon(async () => (await get('api/cache?held=true')).held).toBeGreaterThan(0);
    await page.getByLabel(/held back by the guard/).check();
    await soon(async () => (await rowsOf(page, 'cache-table')).map(([, state]) => state)).toContain(
      'held back: empty-list',
    );
    await page
      .getByRole('button', { name: /^ListSchedulers/ })
      .first()
      .click();
    await page.locator('#entry').waitFor();
    expect(await page.locator('#entry-held').innerText()).toMatch(
      /something poorer \(empty-list\); the guard holds it back/,
    );
    expect(await page.getByRole('button', { name: 'Accept what is held back…' }).isVisible()).toBe(true);
  });

  it('which manager has failed, since when and why, and how it was before', async () => {
    const { page } = open;
    await world.second.kill();
    await world.running.seen((event) => event.kind === 'address-state-changed' && event.to === 'failed');
    await agree(
      async () =>
        (await rowsOf(page, 'managers-table')).map(([name, state, , channels]) => [
          name,
          state?.split(' ')[0],
          channels,
        ]),
      async () => {
        const { managers } = await get('api/managers');
        return managers.map(({ manager, address, state, detail, readyChannels, channels }: Manager) => [
          `${address} manager ${manager}${state === 'healthy' ? '' : `: ${detail.replace(/^manager-gateway: manager [^ ]+: /, '')}`}`,
          state,
          `${readyChannels} of ${channels}`,
        ]);
      },
    );
    const strips = page.locator('#managers-table .strip');
    await soon(() => strips.nth(1).getAttribute('aria-label')).toMatch(/healthy for .*, failed for /);
    expect(await strips.nth(0).getAttribute('aria-label')).not.toMatch(/failed/);
    await soon(sentence).toBe('1 of 2 manager addresses work; callers do not notice.');
  });

  it('that no manager works, which breakers are open, and what is served nevertheless', async () => {
    const { page } = open;
    world.become({ kind: 'database-dead' });
    await soon(async () => (await get('api/status')).health).toBe('bad');
    await agree(sentence, async () => (await get('api/status')).sentence);
    await soon(() => page.locator('#health-word').innerText()).toBe('Bad');
    await soon(() => page.title()).toMatch(/^Bad/);
    await failUntilABreakerOpens();
    await agree(
      async () =>
        (await rowsOf(page, 'breakers-table'))
          .filter(([, state]) => state !== 'closed')
          .map(([name, state]) => [name, state]),
      async () => {
        const { breakers } = await get('api/breakers');
        return breakers
          .filter(({ state }: { state: string }) => state !== 'closed')
          .map(({ method, state }: { method: string; state: string }) => [method, state]);
      },
    );
    const stale = page.locator('.legend').first().locator('li', { hasText: 'stale' }).locator('b');
    await soon(async () => Number(await stale.innerText())).toBeGreaterThan(0);
  });

  it('what the log warns of, the last first, and what goes on as one line that counts', async () => {
    const { page } = open;
    await agree(
      async () => (await page.locator('#warnings-list .words bdi').allInnerTexts()).sort(),
      async () => (await get('api/warnings')).warnings.map(({ text }: { text: string }) => text).sort(),
    );
    const times = await page.locator('#warnings-list time').evaluateAll(TIMES);
    expect(times).toEqual([...times].sort().reverse());
    const { warnings } = await get('api/warnings');
    expect(await page.locator('#warnings-list li').count()).toBeLessThan(200);
    expect(warnings.some(({ count }: { count: number }) => count > 1)).toBe(true);
    expect((await page.locator('#warnings-list').innerText()).replace(/\s+/g, ' ')).toMatch(
      /× \d+ since \d\d:\d\d:\d\d/,
    );
  });
});

it('nothing was wrong in the browser, and nothing against its policy', () => {
  expect(open.wrong).toEqual([]);
});

/** What nobody has asked before must be asked of the manager, and that fails. */
async function failUntilABreakerOpens(): Promise<void> {
  const caller = await connectCaller(world.running.address);
  let nth = 0;
  await soon(async () => {
    const asked = { hostname: `nobody-${nth++}`, scheduler_cluster_id: 1, ip: '127.0.0.9' };
    await caller.call(GET_SCHEDULER, requestOf(GET_SCHEDULER, asked));
    return (await get('api/breakers')).breakers.map(({ state }: { state: string }) => state);
  }).toContain('open');
  await caller.close();
}

type Entry = {
  method: string;
  version: string;
  status: string;
  parts: string[];
  sizeBytes: number;
  manager: string;
};
type Manager = {
  manager: string;
  address: string;
  state: string;
  detail: string;
  readyChannels: number;
  channels: number;
};
type Sample = {
  answers: Record<string, number>;
  attempts: number;
  faults: number;
  connectionsOpened: number;
};

function wordsOf(parts: readonly string[]): string {
  const said = parts.filter((part) => part !== '');
  return said.length === 0 ? 'the same for everybody' : said.join(' · ');
}

/** ISO, as the gateway tells them. */
const TIMES = (elements: unknown[]) => (elements as { dateTime: string }[]).map(({ dateTime }) => dateTime);

/** How many pixels of each diagram are drawn upon. */
const INKED = `[...document.querySelectorAll('.plot canvas')].map((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.filter((value, index) => index % 4 === 3 && value > 0).length;
})`;
