import { createHash } from 'node:crypto';
import type { Labels } from '@device-metrics/domain';
import type { StoredConfiguration } from '@device-metrics/storage';

/** What a device gets whatever tags it has. */
export const FOR_ALL = 'all';

/** The text of a `collector.yaml`, and by what it is known to be another one; both empty: there is none. */
export interface CombinedText {
  readonly version: string;
  readonly text: string;
}

type Mapping = Record<string, unknown>;

/** Those of all configurations that are for a device with these tags: that for all first, then by tag. */
export function configurationsFor(tags: Labels, all: readonly StoredConfiguration[]): StoredConfiguration[] {
  const own = new Set([FOR_ALL, ...Object.entries(tags).map(([name, value]) => `${name}=${value}`)]);
  return all
    .filter(({ tag, text }) => own.has(tag) && text !== null)
    .sort((a, b) => Number(b.tag === FOR_ALL) - Number(a.tag === FOR_ALL) || (a.tag < b.tag ? -1 : 1));
}

/**
 * One text of several, each of which is right: their third-party devices one after the other; of each group of `pc`, and of `api`,
 * what the last one says. One alone stays as it was written.
 */
export async function combined(configurations: readonly StoredConfiguration[]): Promise<CombinedText> {
  const texts = configurations.flatMap(({ text }) => (text === null ? [] : [text]));
  const [first = ''] = texts;
  const text = texts.length <= 1 ? first : await joined(configurations.map(({ tag }) => tag).join(', '), texts);
  return { text, version: text === '' ? '' : createHash('sha256').update(text).digest('hex').slice(0, 12) };
}

async function joined(tags: string, texts: readonly string[]): Promise<string> {
  const { parse, stringify } = await import('yaml');
  const all = texts.map((text) => (parse(text) ?? {}) as Mapping);
  const whole: Mapping = {};
  for (const one of all) {
    for (const [key, value] of Object.entries(one)) whole[key] = together(key, whole[key], value);
  }
  return `# Of ${tags}\n${stringify(whole, { aliasDuplicateObjects: false })}`;
}

function together(key: string, before: unknown, value: unknown): unknown {
  if (key === 'third_party' && Array.isArray(before) && Array.isArray(value)) return before.concat(value) as unknown[];
  if (key === 'pc' && isMapping(before) && isMapping(value)) return { ...before, ...value };
  return value ?? before;
}

const isMapping = (value: unknown): value is Mapping =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
