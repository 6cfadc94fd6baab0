import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const ROOT = new URL('..', import.meta.url);

it('each decision that the code or a page names by its file is there', () => {
  const files = ['src', 'test', 'docs', 'deploy'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|md|yaml|tpl)$/.test(name))
      .map((name) => `${folder}/${name}`),
  );
  const named = ['README.md', ...files].flatMap((file) => {
    const text = readFileSync(new URL(file, ROOT), 'utf8');
    return [...text.matchAll(/\bdecisions\/(\d{4}-[\w-]+\.md)/g)].map(([, decision = '']) => ({
      file,
      decision,
    }));
  });
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ decision }) => !existsSync(new URL(`docs/decisions/${decision}`, ROOT)))).toEqual(
    [],
  );
});
