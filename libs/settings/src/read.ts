import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { settingsFile } from './command-line.js';
import { Mistakes } from './mistakes.js';
import type { Setting, SettingGroup, SettingValues } from './setting.js';

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment of this process over what the file says that `SETTINGS_FILE` names, by default `.env` in the working folder. */
export function readEnvironment(mistakes: Mistakes): Environment {
  const name = settingsFile();
  const file = readIfThere(name, (reason) => mistakes.add(name, reason));
  return { ...parseEnv(file ?? ''), ...process.env };
}

/**
 * The values of a group of settings. Each that is not allowed becomes a mistake and has its default here, so that one pass
 * finds every mistake; nothing may start while there is one.
 */
export function readSettings<Group extends SettingGroup>(
  group: Group,
  environment: Environment,
  mistakes: Mistakes,
): SettingValues<Group> {
  const entries = Object.entries(group).map(([key, setting]) => [key, valueOf(setting, environment, mistakes)]);
  return Object.fromEntries(entries) as SettingValues<Group>;
}

/** What is set otherwise than by default, as it is written. Of settings without a mistake. */
export function settingTexts(
  groups: readonly SettingGroup[],
  environment: Environment,
): { readonly name: string; readonly text: string; readonly isSecret: boolean }[] {
  return groups
    .flatMap((group) => Object.values(group))
    .map((setting) => ({ setting, text: textOf(setting, environment, new Mistakes()) ?? '' }))
    .filter(({ setting, text }) => text !== (setting.default ?? ''))
    .map(({ setting: { name, secret = false }, text }) => ({ name, text, isSecret: secret }));
}

function textOf({ name, secret, default: standard }: Setting, environment: Environment, mistakes: Mistakes) {
  const said = secret ? fromFile(name, environment, mistakes) : undefined;
  return said || environment[name]?.trim() || standard;
}

function valueOf(setting: Setting, environment: Environment, mistakes: Mistakes): unknown {
  const { name, type, secret } = setting;
  const text = textOf(setting, environment, mistakes);
  if (text === undefined) return undefined;
  const value = type.parse(text);
  if (value !== undefined) return value;
  mistakes.add(name, `must be ${type.allowed}${secret ? '' : `, got ${JSON.stringify(text)}`}`);
  return setting.default === undefined ? undefined : type.parse(setting.default);
}

/** What the file holds that `<name>_FILE` names. */
function fromFile(name: string, environment: Environment, mistakes: Mistakes): string | undefined {
  const file = environment[`${name}_FILE`]?.trim();
  if (!file) return undefined;
  const wrong = (reason: string): void => mistakes.add(`${name}_FILE`, reason);
  const content = readIfThere(file, (reason) => wrong(`${file}: ${reason}`))?.trim();
  if (!content) wrong(`there is nothing in ${file}`);
  return content;
}

/** The text of a file; undefined where there is none or where it cannot be read, which `onFailure` is told. */
export function readIfThere(file: string, onFailure: (reason: string) => void): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') onFailure(`the file cannot be read: ${code}`);
    return undefined;
  }
}
