import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { PROBLEM_TYPES } from './problem-types.js';

const source = join(import.meta.dirname, '..');
const page = join(source, '../../../docs/problems.md');

it('every problem has its section in docs/problems.md, with its status, in the order of the statuses', async () => {
  const sections = (await readFile(page, 'utf8')).split(/^## /m).slice(1);
  const documented = sections.map((section) => /^(\S+)\n\n(\d{3})/.exec(section)?.slice(1));
  expect(documented).toEqual(Object.entries(PROBLEM_TYPES).map(([type, status]) => [type, String(status)]));
});

it('every problem that is documented can come', async () => {
  const files = (await readdir(source, { recursive: true })).filter((file) =>
    /(?<!test|problem-types)\.ts$/.test(file),
  );
  const code = (await Promise.all(files.map((file) => readFile(join(source, file), 'utf8')))).join('\n');
  const used = new Set([...code.matchAll(/new Problem\(\s*'([a-z-]+)'/g)].map(([, type]) => type));
  expect([...used].sort()).toEqual(Object.keys(PROBLEM_TYPES).sort());
});
