import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulatedManager } from '../../../src/simulator/manager/simulated-manager.js';
import { type RunningGateway, startGateway } from '../../support/running-gateway.js';

const FOLDER = new URL('../../../src/admin/page/', import.meta.url);
const SOURCES = readdirSync(FOLDER).map((name) => ({
  name,
  text: readFileSync(new URL(name, FOLDER), 'utf8'),
}));

let manager: Awaited<ReturnType<typeof startSimulatedManager>>;
let running: RunningGateway;
let base: string;

beforeAll(async () => {
  manager = await startSimulatedManager();
  running = await startGateway({
    managers: [manager.address],
    sets: ['admin.enable=true', 'admin.addr=127.0.0.1:0'],
  });
  base = `http://127.0.0.1:${running.bound.admin?.port}`;
});
afterAll(async () => {
  await running.gateway.stop();
  await manager.stop();
});

describe('the files of the admin page', () => {
  it('come with a policy under which nothing else runs, is shown or is asked', async () => {
    const response = await fetch(`${base}/`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    );
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.text()).toMatch(/^<!doctype html>/);
  });

  it.each([
    ['page/main.js', 'text/javascript; charset=utf-8'],
    ['page/page.css', 'text/css; charset=utf-8'],
    ['page/favicon.svg', 'image/svg+xml; charset=utf-8'],
    ['page/uplot.js', 'text/javascript; charset=utf-8'],
    ['page/uplot.css', 'text/css; charset=utf-8'],
  ])('%s is %s, and so says HEAD', async (path, type) => {
    const [got, head] = await Promise.all([
      fetch(`${base}/${path}`),
      fetch(`${base}/${path}`, { method: 'HEAD' }),
    ]);
    for (const { status, headers } of [got, head]) {
      expect([status, headers.get('content-type')]).toEqual([200, type]);
      expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    }
    expect((await got.text()).length).toBeGreaterThan(200);
    expect(await head.text()).toBe('');
  });

  it('are all that can be asked for, and to be read only', async () => {
    for (const path of [
      '/page/',
      '/page/uplot.d.ts',
      '/page/..%2fnodes.ts',
      '/page/%2e%2e/nodes.ts',
      '/index.html',
    ]) {
      const response = await fetch(base + path);
      expect([path, response.status]).toEqual([path, 404]);
      expect(await response.text()).not.toContain('/page/');
    }
    expect((await fetch(`${base}/`, { method: 'POST' })).status).toBe(405);
    const metrics = `http://127.0.0.1:${running.bound.metrics?.port}/`;
    expect((await fetch(metrics)).status).toBe(404);
  });

  it('ask for nothing that is not there, and for nothing of anybody else', async () => {
    const asked = SOURCES.flatMap(({ name, text }) => {
      const [modules, links] = [/from '(\.\/[^']+)'/g, /(?:src|href)="(page\/[^"]+)"/g];
      const found = [...text.matchAll(name.endsWith('.js') ? modules : links)];
      return found.map(([, path = '']) => path.replace('./', 'page/'));
    });
    expect(asked.length).toBeGreaterThan(30);
    for (const path of new Set(asked)) {
      expect([path, (await fetch(`${base}/${path}`)).status]).toEqual([path, 200]);
    }
    const elsewhere = SOURCES.filter(({ text }) =>
      /https?:\/\//.test(text.replaceAll('http://www.w3.org/2000/svg', '')),
    );
    expect(elsewhere.map(({ name }) => name)).toEqual([]);
  });

  it('never make markup of text, and never keep the token', () => {
    const wrong = SOURCES.filter(({ text }) =>
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|createContextualFragment|setHTML|srcdoc|eval\(|new Function/.test(
        text,
      ),
    );
    expect(wrong.map(({ name }) => name)).toEqual([]);
    const stores = SOURCES.filter(({ text }) =>
      /(local|session)Storage|indexedDB|document\.cookie/.test(text),
    );
    expect(stores.map(({ name }) => name).sort()).toEqual(['early.js', 'theme.js']);
  });
});
