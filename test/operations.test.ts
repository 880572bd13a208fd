import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';

const ROOT = new URL('..', import.meta.url).pathname;

/** All that the api and the collector may say: the text of their sources, without what separates its parts. */
function sources(): string {
  const texts: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) walk(path);
      else if (/\.ts$/.test(entry.name) && !/\.test\.ts$/.test(entry.name)) texts.push(readFileSync(path, 'utf8'));
    }
  };
  for (const project of [
    'apps/api',
    'apps/collector',
    ...readdirSync(join(ROOT, 'libs')).map((name) => `libs/${name}`),
  ]) {
    walk(join(ROOT, project, 'src'));
  }
  return texts.join('\n').replace(/['`] \+\n\s*['`]/g, '');
}

it('every message that docs/operations.md explains is one that the programs say', () => {
  const text = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8');
  const said = sources();
  const rows = text.split('\n').filter((line) => line.startsWith('| ') && line.includes('`'));
  const parts = rows
    .map((row) => row.split(' | ')[0] as string)
    .filter((cell) => cell.includes('…') || / [a-z]+ /.test(cell.split('`')[1] ?? ''))
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, message]) => (message as string).split(/…|<v>/)))
    .map((part) => part.replace(/^[\s:;,.()]+|[\s:;,.()]+$/g, ''))
    .filter((part) => part.includes(' ') && !part.startsWith('device-metrics '));
  expect(parts.length).toBeGreaterThan(15);
  // What SQLite says itself.
  expect(parts.filter((part) => !said.includes(part))).toEqual(['is not a database']);
});
