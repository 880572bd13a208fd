import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { SecretBox } from './secret-box.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'secret-box-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

it('seals by a key that is made once, for its owner alone', () => {
  const database = join(folder, 'new/metrics.db');
  const sealed = SecretBox.beside(database).seal('Küche');
  expect(SecretBox.beside(database).open(sealed)).toBe('Küche');
  expect(SecretBox.beside(join(folder, 'other/metrics.db')).open(sealed)).toBeUndefined();
  expect(readdirSync(join(folder, 'new'))).toEqual(['secret.key']);
  expect(statSync(join(folder, 'new/secret.key')).mode & 0o777).toBe(0o600);
});

it.each([
  ['an empty file', (file: string) => writeFileSync(file, '')],
  ['7', (file: string) => writeFileSync(file, 'AAAAAAAAAA')],
  ['a folder', (file: string) => mkdirSync(file)],
])('says what to do where the key is %s', (found, damage) => {
  damage(join(folder, 'secret.key'));
  let mistakes: readonly string[] = [];
  try {
    SecretBox.beside(join(folder, 'metrics.db'));
  } catch (error) {
    ({ mistakes } = error as { mistakes: readonly string[] });
  }
  expect(mistakes).toEqual([
    expect.stringContaining(
      `secret.key must hold a key of 32 bytes, got ${found}: put it back as it was, or delete it.`,
    ),
  ]);
});
