import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { Mistakes, SettingsError } from './mistakes.js';
import { readSettings } from './read.js';
import type { SettingGroup, SettingValues } from './setting.js';
import { unheeded } from './unheeded.js';
import { bytes, duration, flag, integer, oneOf, text, url } from './types.js';

const group = {
  port: { name: 'PORT', type: integer(0, 65_535), default: '3000', meaning: 'port' },
  every: { name: 'EVERY', type: duration('1s', '7d', '10s'), default: '1m', meaning: 'interval' },
  size: { name: 'SIZE', type: bytes, default: '1GiB', meaning: 'size' },
  level: { name: 'LEVEL', type: oneOf(['low', 'high']), default: 'low', meaning: 'level' },
  on: { name: 'ON', type: flag, default: 'false', meaning: 'switch' },
  target: { name: 'TARGET', type: url, meaning: 'target' },
  key: {
    name: 'KEY',
    type: text('a key of at least 8 characters', (value) => value.length >= 8),
    secret: true,
    meaning: 'key',
  },
} satisfies SettingGroup;

function read(environment: Record<string, string>): { values: SettingValues<typeof group>; mistakes: string[] } {
  const mistakes = new Mistakes();
  return { values: readSettings(group, environment, mistakes), mistakes: mistakes.list };
}

const folder = mkdtempSync(join(tmpdir(), 'settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('has the defaults where nothing is said, and where what is said is empty', () => {
  const defaults = {
    port: 3000,
    every: 60_000,
    size: 2 ** 30,
    level: 'low',
    on: false,
    target: undefined,
    key: undefined,
  };
  expect(read({})).toEqual({ values: defaults, mistakes: [] });
  expect(read({ PORT: '', EVERY: '  ', TARGET: '', KEY_FILE: '' })).toEqual({ values: defaults, mistakes: [] });
});

it('reads each by its type, without the space around it', () => {
  const environment = {
    PORT: ' 80 ',
    EVERY: '1.5h',
    SIZE: '2 MiB',
    LEVEL: 'high',
    ON: 'true',
    TARGET: 'http://a',
    KEY: '12345678',
  };
  const values = {
    port: 80,
    every: 5_400_000,
    size: 2 ** 21,
    level: 'high',
    on: true,
    target: 'http://a',
    key: '12345678',
  };
  expect(read(environment)).toEqual({ values, mistakes: [] });
});

it('says every mistake at once with what came and what is allowed, but never a secret', () => {
  const environment = {
    PORT: '65536',
    EVERY: '8d',
    SIZE: '1MB',
    LEVEL: 'High',
    ON: 'yes',
    TARGET: 'a',
    KEY: 'hunter2',
  };
  expect(read(environment).mistakes).toEqual([
    'PORT: must be an integer from 0 to 65535, got "65536"',
    'EVERY: must be a duration from 1s to 7d, as in 10s, got "8d"',
    'SIZE: must be bytes, as in 1048576 or 512MiB, got "1MB"',
    'LEVEL: must be one of low, high, got "High"',
    'ON: must be true or false, got "yes"',
    'TARGET: must be a URL that begins with http(s)://, got "a"',
    'KEY: must be a key of at least 8 characters',
  ]);
});

it('reads a secret from the file that names it, rather than from the variable', () => {
  const file = join(folder, 'key');
  writeFileSync(file, 'secret-of-file\n');
  expect(read({ KEY_FILE: file, KEY: 'secret-of-variable' }).values.key).toBe('secret-of-file');
  const missing = join(folder, 'nowhere');
  expect(read({ KEY_FILE: missing }).mistakes).toEqual([`KEY_FILE: there is nothing in ${missing}`]);
  expect(read({ KEY_FILE: folder }).mistakes).toEqual([`KEY_FILE: ${folder}: the file cannot be read: EISDIR`]);
});

it.each(['constructor', '__proto__', 'toString'])('takes no property of objects for a value: %s', (value) => {
  expect(read({ ON: value }).mistakes).toHaveLength(1);
});

it('throws what it found', () => {
  const mistakes = new Mistakes();
  mistakes.throwIfAny();
  mistakes.add('A', 'is wrong');
  mistakes.add('A', 'is wrong for another reason');
  expect(() => mistakes.throwIfAny()).toThrow(new SettingsError(['A: is wrong']));
  expect(mistakes.list).toEqual(['A: is wrong']);
});

it('names variables that nearly have the name of a setting, and no others', () => {
  const environment = {
    PROT: '80',
    EVRY: '1s',
    port: '80',
    KEY_FLIE: 'x',
    PORT: '80',
    KEY_FILE: 'x',
    SPORT: '1',
    PATH: '/bin',
    LEVELLED: 'x',
    UNTARGET: 'x',
  };
  expect(unheeded([group], environment)).toEqual([
    'PROT is no setting; did you mean PORT?',
    'EVRY is no setting; did you mean EVERY?',
    'port is no setting; did you mean PORT?',
    'KEY_FLIE is no setting; did you mean KEY_FILE?',
  ]);
});

it('says that the file of the settings is not there, where one was named', () => {
  const missing = join(folder, 'nowhere.env');
  expect(unheeded([group], { SETTINGS_FILE: missing })).toEqual([`SETTINGS_FILE names ${missing}, which is not there`]);
  expect(unheeded([group], { SETTINGS_FILE: folder })).toEqual([]);
});
