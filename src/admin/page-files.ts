import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { HttpRoute } from './http-server.js';

/** The same files for a checkout (`src/`) and for a package (`dist/`): plain ones, which nothing is built of. */
const FOLDER = new URL('../../src/admin/page/', import.meta.url);

const TYPES = new Map([
  ['html', 'text/html; charset=utf-8'],
  ['css', 'text/css; charset=utf-8'],
  ['js', 'text/javascript; charset=utf-8'],
  ['svg', 'image/svg+xml; charset=utf-8'],
]);

/** What of other packages the page uses, under the names by which it asks for it. */
const OF_OTHERS = { 'uplot.js': 'uplot/dist/uPlot.esm.js', 'uplot.css': 'uplot/dist/uPlot.min.css' };

/**
 * Nothing but the files here may run, be shown or be asked, and no text can become markup: names of hosts are strangers' text.
 * The page itself uses textContent only; this is for the day when somebody forgets.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'x-frame-options': 'DENY',
};

/**
 * The admin page: `/` and `/page/*`. Its files are read once, here: a package without them fails at its start, nothing else can be
 * asked for, and a full or broken disk does not take the page away.
 */
export function pageRoutes(): ReadonlyMap<string, HttpRoute> {
  const { resolve } = createRequire(import.meta.url);
  const files: [string, URL | string][] = [
    ...readdirSync(FOLDER).map((name): [string, URL] => [name, new URL(name, FOLDER)]),
    ...Object.entries(OF_OTHERS).map(([name, path]): [string, string] => [name, resolve(path)]),
  ];
  const routes = new Map<string, HttpRoute>();
  for (const [name, file] of files) {
    const contentType = TYPES.get(name.slice(name.lastIndexOf('.') + 1));
    if (contentType === undefined) continue;
    const reply = { status: 200, contentType, body: readFileSync(file, 'utf8'), headers: HEADERS };
    routes.set(name === 'index.html' ? '/' : `/page/${name}`, () => reply);
  }
  return routes;
}
