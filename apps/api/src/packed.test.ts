import { mkdtempSync, mkdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Script } from 'node:vm';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { packedScript } from './packed.js';

let root: string;
let source: string;
let main: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'packed-'));
  const dist = join(root, 'apps/api/dist');
  mkdirSync(dist, { recursive: true });
  [source, main] = [join(dist, 'api.js'), pathToFileURL(join(dist, 'main.js')).href];
  writeFileSync(source, '"as it was"');
  const { mtimeMs, size } = statSync(source);
  writeFileSync(join(dist, 'packed.json'), JSON.stringify({ 'apps/api/dist/api.js': [mtimeMs, size] }));
  writeFileSync(join(dist, 'packed.cjs'), '"packed"');
  writeFileSync(join(dist, 'packed.cjs.compiled'), new Script('"packed"').createCachedData());
});

afterEach(() => rmSync(root, { recursive: true }));

it('the packed program is taken as long as its files are as they were packed', () => {
  const script = packedScript(main);
  expect(script?.cachedDataRejected).toBe(false);
  expect(script?.runInThisContext()).toBe('packed');
});

it.each([
  ['was written again', () => utimesSync(source, new Date(), new Date(Date.now() + 1_000))],
  ['has another length', () => writeFileSync(source, '"as it is"')],
  ['is gone', () => rmSync(source)],
])('a file that %s makes the program be loaded file by file', (_what, change) => {
  change();
  expect(packedScript(main)).toBeUndefined();
});

it.each([
  ['packed.json', ''],
  ['packed.json', 'null'],
  ['packed.cjs', '"pack'],
  ['packed.cjs.compiled', ''],
  ['packed.cjs.compiled', '\0'.repeat(512)],
])('a pack whose %s is damaged is not taken', (file, content) => {
  writeFileSync(join(root, 'apps/api/dist', file), content);
  expect(packedScript(main)).toBeUndefined();
});

it('nothing is taken before all of it is there', () => {
  rmSync(join(root, 'apps/api/dist/packed.cjs.compiled'));
  expect(packedScript(main)).toBeUndefined();
});
