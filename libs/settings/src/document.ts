import type { Setting, SettingGroup } from './setting.js';

/** Settings as the documentation shows them: the groups of each app, by the app's name. */
export type DocumentedSettings = Readonly<Record<string, readonly SettingGroup[]>>;

const settingsOf = (groups: readonly SettingGroup[]): Setting[] => groups.flatMap((group) => Object.values(group));

/** The rows of README's table: setting, default, allowed, meaning. */
export function settingRows(documented: DocumentedSettings): string[][] {
  return Object.values(documented).flatMap(settingsOf).map(row);
}

function row(setting: Setting): string[] {
  const { name, type, secret, meaning, defaultMeans } = setting;
  const names = secret ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``;
  const standard = setting.default ? `\`${setting.default}\`` : '';
  return [names, defaultMeans ?? standard, type.allowed, meaning];
}

/** `.env.example`: every setting with its meaning and its default. */
export function envExample(documented: DocumentedSettings): string {
  const parts = Object.entries(documented).map(([app, groups]) => {
    return `# --- ${app} ---\n${settingsOf(groups).map(envEntry).join('')}`;
  });
  const head =
    '# Settings with their defaults. Copy this file to .env and change what you need; the environment goes before it.\n';
  return [head, ...parts].join('\n');
}

function envEntry(setting: Setting): string {
  const { name, type, secret, meaning, defaultMeans } = setting;
  const file = secret ? `; or ${name}_FILE names a file that holds it` : '';
  const standard = defaultMeans ? ` Default: ${defaultMeans}.` : '';
  const comment = `${sentence(`${meaning}${file}`)} ${sentence(type.allowed)}${standard}`.replaceAll('`', '');
  // Where a default is shown in words, the empty text stands for it.
  return `${wrapped(comment)}${name}=${defaultMeans === undefined ? (setting.default ?? '') : ''}\n`;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** As lines of comment of at most 120 characters. */
const wrapped = (text: string): string => text.replace(/(.{1,118})(?: |$)/g, '# $1\n');
