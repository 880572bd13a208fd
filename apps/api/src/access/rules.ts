import { quote, UNPRINTABLE, type Rule } from '@device-metrics/contract';
import { parseDuration, visibleRule, wrong } from '@device-metrics/domain';

const MAX_NAME = 64;
const MAX_PATTERNS = 100;

/** Of tokens, users and shares. */
export const nameRule: Rule = (value) =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= MAX_NAME &&
  value.trim() === value &&
  !UNPRINTABLE.test(value)
    ? visibleRule(value)
    : wrong(`a string of 1 to ${MAX_NAME} printable characters without space at its ends`, value);

/** Names of devices, in which `*` stands for any characters. */
export const devicesRule: Rule = (value) => {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_PATTERNS) {
    return wrong(`an array of 1 to ${MAX_PATTERNS} names of devices, in which * stands for any characters`, value);
  }
  const bad: unknown = value.find((name) => typeof name !== 'string' || name.length === 0 || name.length > 128);
  return bad === undefined ? undefined : `must hold names of 1 to 128 characters, got ${quote(bad)}`;
};

/** A path of this server, with its query: no browser takes it for an address elsewhere, also not without its dots, as in `/..//host`. */
export const pageRule: Rule = (value) =>
  typeof value === 'string' &&
  /^\/[^\\\s]*$/.test(value) &&
  value.length <= 4_000 &&
  URL.canParse(value, 'http://server') &&
  new URL(value, 'http://server').host === 'server' &&
  !new URL(value, 'http://server').pathname.startsWith('//')
    ? undefined
    : wrong('a path of this server, as in /devices/lab-pc-1', value);

/** Tags that a device has to have, or gets. */
export const tagsRule: Rule = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong('an object of strings, as in {"room": "lab"}', value);
  }
  const entries = Object.entries(value);
  if (entries.length > 32) return wrong('at most 32 tags', value);
  for (const [name, text] of entries) {
    if (name.length === 0 || name.length > 64 || /[=,]/.test(name) || UNPRINTABLE.test(name)) {
      return `tag names must be 1 to 64 printable characters without = and commas, got ${quote(name)}`;
    }
    if (typeof text !== 'string' || text.length > 256 || UNPRINTABLE.test(text)) {
      return `tag ${quote(name)} must be a string of at most 256 printable characters, got ${quote(text)}`;
    }
    const hidden = visibleRule(name) ?? visibleRule(text);
    if (hidden !== undefined) return `tag ${quote(name)} ${hidden}`;
  }
  return undefined;
};

/** A duration that may be 0, ms; undefined where it is none. */
export const parseSpan = (text: string): number | undefined => (text === '0' ? 0 : parseDuration(text));

/** @param example as a person would write it, such as `1h`. */
export const spanRule =
  (most: string, example: string): Rule =>
  (value) => {
    const span = typeof value === 'string' ? parseSpan(value) : undefined;
    return span !== undefined && span <= (parseDuration(most) ?? 0)
      ? undefined
      : wrong(`a duration of at most ${most}, as in ${example}`, value);
  };
