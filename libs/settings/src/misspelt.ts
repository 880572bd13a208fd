import { misspeltFor } from '@device-metrics/domain';
import type { Environment } from './read.js';
import type { Setting, SettingGroup } from './setting.js';

/**
 * Variables that are no setting, and nearly have the name of one: who wrote them waits for nothing. Others belong to other programs.
 *
 * @returns a sentence for each, without its value, which may be a secret.
 */
export function misspelt(groups: readonly SettingGroup[], environment: Environment): string[] {
  const known = groups.flatMap((group) => Object.values(group)).flatMap(namesOf);
  return Object.keys(environment)
    .filter((name) => !known.includes(name))
    .map((name) => ({ name, meant: misspeltFor(name, known) }))
    .filter(({ meant }) => meant !== undefined)
    .map(({ name, meant }) => `${name} is no setting; did you mean ${meant}?`);
}

const namesOf = ({ name, secret }: Setting): string[] => (secret ? [name, `${name}_FILE`] : [name]);
