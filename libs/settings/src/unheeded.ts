import { existsSync } from 'node:fs';
import { misspeltFor } from '@device-metrics/domain';
import type { Environment } from './read.js';
import type { Setting, SettingGroup } from './setting.js';

/**
 * What has no effect, though somebody seems to have meant it: a file of settings that is not there, and variables that are no setting and
 * nearly have the name of one. Others belong to other programs.
 *
 * @returns a sentence for each, without the values of variables, which may be secrets.
 */
export function unheeded(groups: readonly SettingGroup[], environment: Environment): string[] {
  const known = groups.flatMap((group) => Object.values(group)).flatMap(namesOf);
  const file = environment['SETTINGS_FILE'];
  const lost = file && !existsSync(file) ? [`SETTINGS_FILE names ${file}, which is not there`] : [];
  const names = Object.keys(environment)
    .filter((name) => !known.includes(name))
    .map((name) => ({ name, meant: misspeltFor(name, known) }))
    .filter(({ meant }) => meant !== undefined)
    .map(({ name, meant }) => `${name} is no setting; did you mean ${meant}?`);
  return [...lost, ...names];
}

const namesOf = ({ name, secret }: Setting): string[] => (secret ? [name, `${name}_FILE`] : [name]);
