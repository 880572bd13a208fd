import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quote, reasonOf } from '@device-metrics/domain';
import { webAddressMistake } from '@device-metrics/settings';
import { MistakesError, ObjectReader, readAll } from '../reader.js';
import { ChannelError, type ChannelSettings, type ChannelType, type Field } from './channel.js';
import { CHANNEL_TYPES } from './channels.js';

/** What stands in place of a secret that is set. */
export const HIDDEN = '********';

/** A channel as it is written. */
export type ChannelDocument = Readonly<Record<string, unknown>>;

export interface Channel {
  readonly name: string;
  readonly type: ChannelType;
  /** Secrets are as they were written: `${NAME}` and `file:` not yet in place. */
  readonly written: ChannelSettings;
}

/** @throws MistakesError with every mistake. */
export const readChannel = (document: unknown): Channel =>
  readAll<Channel>((mistakes) => {
    const reader = new ObjectReader(document, '', mistakes);
    const name = reader.name('name');
    const types = CHANNEL_TYPES.map(({ type }) => type);
    const typeName = reader.oneOf('type', types);
    const type = CHANNEL_TYPES.find((one) => one.type === typeName);
    if (!type) throw new MistakesError(mistakes);
    const written: Record<string, unknown> = {};
    for (const [key, field] of Object.entries(type.fields)) {
      if (reader.has(key) || field.required) written[key] = valueOf(reader, key, field);
      else if (field.default !== undefined) written[key] = field.default;
    }
    reader.end();
    return { name, type, written };
  });

/**
 * Stands for a value that is put in place when a message is sent. Who may set up channels is not to read every variable
 * and every file of the machine: names begin with `ALERTS_`, and files lie in `ALERTS_SECRETS_PATH`.
 */
const PLACEHOLDER = /^(\$\{ALERTS_[A-Z0-9_]+\}|file:[A-Za-z0-9_][A-Za-z0-9_.-]*)$/;

/** Whether a value says where a secret is, and is none itself. */
export const isPlaceholder = (value: unknown): boolean => typeof value === 'string' && PLACEHOLDER.test(value);

function valueOf(reader: ObjectReader, key: string, field: Field): unknown {
  const value = reader.value(key);
  if (field.secret && isPlaceholder(value)) return value;
  if (field.secret && typeof value === 'string' && /^(\$\{[^}]*\}|file:.*)$/.test(value)) {
    reader.note(key, `must name a variable as in \${ALERTS_…} or a file as in file:NAME, got ${quote(value)}`);
    return value;
  }
  if (field.secret && value === HIDDEN) {
    reader.note(key, 'must be given again, as the receiver or the key of this server is another one');
    return value;
  }
  switch (field.type) {
    case 'integer':
      return reader.integer(key, 0, 1, 65_535);
    case 'flag':
      return reader.flag(key, false);
    case 'addresses':
      return reader.texts(key, ADDRESSES, isAddress) ?? (reader.note(key, `must be ${ADDRESSES}`), []);
    case 'headers': {
      const headers = reader.pairs(key);
      const wrong = Object.entries(headers).find(([name, one]) => !isHeader(name, one));
      if (wrong) reader.note(key, `must be names and values that HTTP takes as headers, got ${quote(wrong[0])}`);
      const own = Object.keys(headers).find((name) => OF_THE_CONNECTION.has(name.toLowerCase()));
      if (own !== undefined) reader.note(key, `must have none that each connection sets itself, got ${quote(own)}`);
      return headers;
    }
    case 'address': {
      const text = reader.text(key, undefined);
      if (typeof text === 'string' && !isAddress(text)) {
        reader.note(key, `must be an address such as alerts@example.org, got ${quote(text)}`);
      }
      return text;
    }
    case 'url': {
      const text = reader.text(key, undefined, 2_000);
      const mistake = typeof text === 'string' ? webAddressMistake(text, field.secret) : undefined;
      if (mistake !== undefined) reader.note(key, mistake);
      return text;
    }
    case 'text':
      return field.choices ? reader.oneOf(key, field.choices) : reader.text(key, undefined, 10_000);
  }
}

const ADDRESSES = 'one address or several, such as you@example.org';

/** With or without the name of a person before it; the mail server knows better. */
const isAddress = (text: string): boolean => /^[^\r\n]*[^\s@<]@[^\s@>]+>?$/.test(text.trim());

/** With one of these no message would be sent, or it would go along with another value. */
const OF_THE_CONNECTION = new Set(
  'connection content-length expect host keep-alive transfer-encoding upgrade'.split(' '),
);

function isHeader(name: string, value: string): boolean {
  try {
    return new Headers([[name, value]]).has(name);
  } catch {
    return false;
  }
}

/** A channel as everybody may see it. */
export function shownChannel({ name, type, written }: Channel): ChannelDocument {
  const shown = Object.entries(written).map(([key, value]): [string, unknown] => {
    return [key, type.fields[key]?.secret && !isPlaceholder(value) ? HIDDEN : value];
  });
  return { name, type: type.type, ...(Object.fromEntries(shown) as ChannelDocument) };
}

/** A channel that cannot be used, as everybody may see it: of a type that is not known, nothing is known to be no secret. */
export function shownUnusable(document: ChannelDocument): ChannelDocument {
  const fields = CHANNEL_TYPES.find((one) => one.type === document['type'])?.fields ?? {};
  const isOpen = (key: string, value: unknown): boolean =>
    key === 'name' || key === 'type' || isPlaceholder(value) || (key in fields && !fields[key]?.secret);
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, isOpen(key, value) ? value : HIDDEN]));
}

/**
 * What was sent back as it was shown keeps its secrets; not where the receiver is another one, or somebody could have them
 * sent to a server of their own.
 */
export function withSecrets(document: ChannelDocument, before: ChannelDocument | undefined): ChannelDocument {
  const isSame = ['type', 'url', 'host', 'port'].every(
    (key) => document[key] === before?.[key] || document[key] === HIDDEN,
  );
  return Object.fromEntries(
    Object.entries(document).map(([key, value]): [string, unknown] => [
      key,
      value === HIDDEN && before && isSame ? before[key] : value,
    ]),
  );
}

/** Where secrets come from. */
export interface Secrets {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: string | undefined;
}

/** The settings of a channel with its secrets in place. @throws ChannelError when one is missing. */
export async function settingsOf({ type, written }: Channel, secrets: Secrets): Promise<ChannelSettings> {
  const settings: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(written)) {
    const isSecret = type.fields[key]?.secret && typeof value === 'string';
    settings[key] = isSecret ? await secretOf(key, value, secrets) : value;
  }
  return settings;
}

async function secretOf(key: string, value: string, { environment, folder }: Secrets): Promise<string> {
  if (!PLACEHOLDER.test(value)) return value;
  const name = /^\$\{(.+)\}$/.exec(value)?.[1];
  if (name !== undefined) {
    const found = environment[name]?.trim();
    if (found === undefined || found === '')
      throw new ChannelError(`${key}: ${name} is not set in the environment`, false);
    return found;
  }
  if (folder === undefined) throw new ChannelError(`${key}: ${value} needs ALERTS_SECRETS_PATH`, false);
  try {
    return (await readFile(join(folder, value.slice('file:'.length)), 'utf8')).trim();
  } catch (error) {
    throw new ChannelError(`${key}: ${reasonOf(error)}`, false);
  }
}
