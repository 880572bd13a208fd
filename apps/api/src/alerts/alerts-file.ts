import { readFile } from 'node:fs/promises';
import { quote, reasonOf } from '@device-metrics/domain';
import { readChannel } from './notify/read-channel.js';
import { MistakesError, type Mistake } from './reader.js';
import type { Document } from './registry.js';
import { readRule } from './rules/read-rule.js';
import { readDependency, readMaintenance, readRoute } from './telling/config.js';

/** Everything of alerts that can stand in a file: `ALERTS_FILE`, an export, an import. */
export interface AlertsFile {
  readonly rules: readonly Document[];
  readonly channels: readonly Document[];
  readonly routes: readonly Document[];
  readonly maintenance: readonly Document[];
  readonly dependencies: readonly Document[];
}

export const NO_FILE: AlertsFile = { rules: [], channels: [], routes: [], maintenance: [], dependencies: [] };

const SECTIONS: Readonly<Record<keyof AlertsFile, (document: unknown) => { readonly name: string }>> = {
  rules: readRule,
  channels: readChannel,
  routes: readRoute,
  maintenance: (document) => readMaintenance(document, 0),
  dependencies: readDependency,
};

/** @throws MistakesError with the path of every mistake in the file. */
export async function readAlertsFile(path: string): Promise<AlertsFile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new MistakesError([{ field: '', reason: `cannot be read: ${reasonOf(error)}` }]);
  }
  return readAlertsText(text);
}

/** YAML, and so JSON too. @throws MistakesError with the path of every mistake. */
export async function readAlertsText(text: string): Promise<AlertsFile> {
  const { parse } = await import('yaml');
  let content: unknown;
  try {
    content = parse(text, { maxAliasCount: 100 }) ?? {};
  } catch (error) {
    throw new MistakesError([{ field: '', reason: `must be YAML: ${reasonOf(error)}` }]);
  }
  return readAlerts(content);
}

/** @throws MistakesError with the path of every mistake. */
export function readAlerts(content: unknown): AlertsFile {
  const mistakes: Mistake[] = [];
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new MistakesError([{ field: '', reason: `must be an object with rules, got ${quote(content)}` }]);
  }
  for (const key of Object.keys(content)) {
    if (Object.hasOwn(SECTIONS, key)) continue;
    mistakes.push({ field: key, reason: `is unknown; allowed are ${Object.keys(SECTIONS).join(', ')}` });
  }
  const file = { ...NO_FILE } as Record<keyof AlertsFile, readonly Document[]>;
  for (const [section, read] of Object.entries(SECTIONS)) {
    const list = (content as Record<string, unknown>)[section] ?? [];
    if (!Array.isArray(list)) {
      mistakes.push({ field: section, reason: `must be a list, got ${quote(list)}` });
      continue;
    }
    const names = new Set<string>();
    for (const [index, document] of list.entries()) {
      const at = `${section}[${index}]`;
      try {
        const { name } = read(document);
        if (names.has(name)) mistakes.push({ field: `${at}.name`, reason: `${quote(name)} is there twice` });
        names.add(name);
      } catch (error) {
        if (!(error instanceof MistakesError)) throw error;
        for (const { field, reason } of error.mistakes) mistakes.push({ field: field ? `${at}.${field}` : at, reason });
      }
    }
    file[section as keyof AlertsFile] = list as Document[];
  }
  if (mistakes.length > 0) throw new MistakesError(mistakes);
  return file;
}
