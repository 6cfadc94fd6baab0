import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';

const FAULTS = readFileSync(new URL('./browser/faults.js', import.meta.url), 'utf8');

/** What has to have a name, for whoever hears the page instead of seeing it. */
const NAMED = new Set([
  'button',
  'link',
  'combobox',
  'searchbox',
  'textbox',
  'checkbox',
  'table',
  'rowheader',
  'columnheader',
  'region',
  'navigation',
  'dialog',
  'group',
  'heading',
  'image',
  'img',
  'log',
]);

interface AxNode {
  readonly ignored: boolean;
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
  readonly properties?: readonly { readonly name: string; readonly value: { readonly value?: unknown } }[];
}

/** What is wrong for people with weak eyes, without a mouse or with a screen reader; see `browser/faults.js`. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const found = (await page.evaluate(`${FAULTS}; findFaults()`)) as string[];
  return [...found, ...faultsOf(await treeOf(page))];
}

/** As the browser tells it to a screen reader. */
async function treeOf(page: Page): Promise<AxNode[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  return (nodes as AxNode[]).filter(({ ignored }) => !ignored);
}

function faultsOf(tree: readonly AxNode[]): string[] {
  const roleOf = ({ role }: AxNode): string => role?.value ?? '';
  const nameOf = ({ name }: AxNode): string => name?.value.trim() ?? '';
  const count = (role: string): number => tree.filter((node) => roleOf(node) === role).length;
  const unnamed = tree
    .filter((node) => (NAMED.has(roleOf(node)) || isFocusable(node)) && roleOf(node) !== 'RootWebArea')
    .filter((node) => nameOf(node) === '' && !['main', 'columnheader'].includes(roleOf(node)))
    .map((node) => `a ${roleOf(node)} has no name`);
  const landmarks = tree
    .filter((node) => ['region', 'navigation', 'search', 'log'].includes(roleOf(node)))
    .map((node) => `${roleOf(node)} ${nameOf(node)}`);
  const twice = landmarks.filter((one, index) => landmarks.indexOf(one) !== index);
  const isModal = count('dialog') > 0;
  const once = isModal ? [] : ['main', 'banner', 'contentinfo'].filter((role) => count(role) !== 1);
  return [
    ...unnamed,
    ...twice.map((name) => `two landmarks are named ${name}`),
    ...once.map((role) => `there are ${count(role)} of ${role}`),
  ];
}

function isFocusable({ properties = [] }: AxNode): boolean {
  return properties.some(({ name, value }) => name === 'focusable' && value.value === true);
}
