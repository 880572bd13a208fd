import { quote, type Rule, UNPRINTABLE } from '@device-metrics/contract';
import { deviceNameRule, visibleRule } from '@device-metrics/domain';

/** Of what people say of a device. */
export const MAX_DISPLAY_NAME = 128;
export const MAX_NOTES = 4_000;
export const MAX_TAGS = 32;
const MAX_TAG_NAME = 64;
const MAX_TAG_VALUE = 256;

/** As `UNPRINTABLE`, but for tabs and ends of lines. */
const UNPRINTABLE_IN_TEXT = /[^\P{Cc}\t\n\r]|\p{Cs}/u;

/** Of a name that people give a device, in place of the one that it sends. */
export const newNameRule: Rule = (value) => deviceNameRule(value) ?? visibleRule(value as string);

export const displayNameRule: Rule = (value) =>
  value === null
    ? undefined
    : isText(value, 1, MAX_DISPLAY_NAME, UNPRINTABLE)
      ? visibleRule(value)
      : `must be a string of 1 to ${MAX_DISPLAY_NAME} printable characters, or null for none, got ${quote(value)}`;

export const notesRule: Rule = (value) =>
  value === null || isText(value, 1, MAX_NOTES, UNPRINTABLE_IN_TEXT)
    ? undefined
    : `must be a text of 1 to ${MAX_NOTES} characters, or null for none, got ${quote(value)}`;

export const tagsRule: Rule = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `must be an object of strings, as in {"room": "lab"}, with null for a tag to remove, got ${quote(value)}`;
  }
  for (const [name, text] of Object.entries<unknown>({ ...value })) {
    if (!isText(name, 1, MAX_TAG_NAME, UNPRINTABLE) || /[=,]/.test(name)) {
      return `tag names must be 1 to ${MAX_TAG_NAME} printable characters without = and commas, got ${quote(name)}`;
    }
    if (text !== null && !isText(text, 0, MAX_TAG_VALUE, UNPRINTABLE)) {
      return `tag ${quote(name)} must be a string of at most ${MAX_TAG_VALUE} printable characters or null, got ${quote(text)}`;
    }
    // What is to go may have any name that there is.
    const hidden = text === null ? undefined : (visibleRule(name) ?? visibleRule(text));
    if (hidden !== undefined) return `tag ${quote(name)} ${hidden}`;
  }
  return undefined;
};

export const mergeRule: Rule = (value) =>
  typeof value === 'boolean' ? undefined : `must be true or false, got ${quote(value)}`;

export const statusesRule =
  (statuses: readonly string[]): Rule =>
  (value) => {
    const given: unknown[] = Array.isArray(value) ? value : [value];
    const wrong = given.find((status) => !statuses.some((known) => known === status));
    return wrong === undefined ? undefined : `must be one of ${statuses.join(', ')}, got ${quote(wrong)}`;
  };

function isText(value: unknown, min: number, max: number, without: RegExp): value is string {
  return typeof value === 'string' && value.length >= min && value.length <= max && !without.test(value);
}
