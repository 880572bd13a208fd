import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { envExample, unheeded, Mistakes, readSettings, settingRows } from '@device-metrics/settings';
import { apiSettingGroups } from '../apps/api/src/settings.js';
import { collectorSettingGroups } from '../apps/collector/src/config/settings.js';
import { verdict } from '../apps/collector/src/upload/verdict.js';

const fileOf = (name: string): string => readFileSync(join(import.meta.dirname, '..', name), 'utf8');

/** The cells of the only table under a heading of README, or of the one whose head has these cells. */
function tableOf(head: readonly string[]): string[][] {
  const tables = fileOf('README.md').match(/(^\|.*\n)+/gm) ?? [];
  const rows = tables.map((table) =>
    table
      .trim()
      .split('\n')
      .map((row) =>
        row
          .slice(1, -1)
          .split('|')
          .map((cell) => cell.trim()),
      ),
  );
  const found = rows.find(([first]) => first?.join() === head.join());
  return found?.slice(2) ?? [];
}

describe('the documentation says what the code does (`npm run settings` writes it)', () => {
  const documented = { api: apiSettingGroups, collector: collectorSettingGroups };

  it('in README.md: every setting with its default, what is allowed and its meaning', () => {
    expect(tableOf(['setting', 'default', 'allowed', 'meaning'])).toEqual(settingRows(documented));
  });

  it('in .env.example: every setting with its default', () => {
    expect(fileOf('.env.example')).toBe(envExample(documented));
  });

  it('and the defaults are allowed, and are what .env.example gives when it is copied', () => {
    const lines = envExample(documented).matchAll(/^(\w+)=(.*)$/gm);
    const copied: Record<string, string> = Object.fromEntries(
      [...lines].map(([, name = '', value = '']) => [name, value]),
    );
    for (const group of [...apiSettingGroups, ...collectorSettingGroups]) {
      const mistakes = new Mistakes();
      expect(readSettings(group, copied, mistakes)).toEqual(readSettings(group, {}, mistakes));
      expect(mistakes.list).toEqual([]);
    }
  });

  it('and no setting is so near to one of the other app that its name would be taken for a mistake', () => {
    const names = [...apiSettingGroups, ...collectorSettingGroups].flatMap((group) =>
      Object.values(group).flatMap(({ name, secret }) => (secret ? [name, `${name}_FILE`] : [name])),
    );
    const environment = Object.fromEntries(names.map((name) => [name, '']));
    expect(unheeded(apiSettingGroups, environment)).toEqual([]);
    expect(unheeded(collectorSettingGroups, environment)).toEqual([]);
  });

  it('in README.md: what the queue does after each answer', () => {
    const consequence = { delete: /^deletes/, split: /^halves/, hold: /^holds/, retry: /^tries again/ } as const;
    const rows = tableOf(['answer of the api', 'what the queue does']);
    const rowOf = (answer: string): string => {
      const named = rows.find(([answers]) => answers?.split(/,\s*/).includes(answer));
      return (named ?? rows.find(([answers]) => answers?.startsWith('any other')))?.[1] ?? '';
    };
    for (let status = 200; status < 600; status += 1) {
      const answer = status < 300 ? '2xx' : status >= 500 ? '5xx' : String(status);
      expect(`${answer} ${rowOf(answer)}`).toMatch(
        new RegExp(`^${answer} ${consequence[verdict(status)].source.slice(1)}`),
      );
    }
    expect(rowOf('none')).toMatch(consequence[verdict(undefined)]);
  });
});
