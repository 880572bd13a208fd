import { deviceNameRule, Obeys, Optional, quote, type Rule, UNPRINTABLE } from '@device-metrics/contract';
import type { Labels } from '@device-metrics/domain';
import type { DeviceDescription } from '@device-metrics/storage';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { invalidInput } from '../http/problem.js';

const MAX_DISPLAY_NAME = 128;
const MAX_NOTES = 4_000;
const MAX_TAGS = 32;
const MAX_TAG_NAME = 64;
const MAX_TAG_VALUE = 256;

/** As `UNPRINTABLE`, but for tabs and ends of lines. */
const UNPRINTABLE_IN_TEXT = /[^\P{Cc}\t\n\r]|\p{Cs}/u;

const displayName: Rule = (value) =>
  value === null || isText(value, 1, MAX_DISPLAY_NAME, UNPRINTABLE)
    ? undefined
    : `must be a string of 1 to ${MAX_DISPLAY_NAME} printable characters, or null for none, got ${quote(value)}`;

const notes: Rule = (value) =>
  value === null || isText(value, 1, MAX_NOTES, UNPRINTABLE_IN_TEXT)
    ? undefined
    : `must be a text of 1 to ${MAX_NOTES} characters, or null for none, got ${quote(value)}`;

const tags: Rule = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `must be an object of strings, as in {"room": "lab"}, with null for a tag to remove, got ${quote(value)}`;
  }
  for (const [name, text] of Object.entries(value)) {
    if (!isText(name, 1, MAX_TAG_NAME, UNPRINTABLE) || /[=,]/.test(name)) {
      return `tag names must be 1 to ${MAX_TAG_NAME} printable characters without = and commas, got ${quote(name)}`;
    }
    if (text !== null && !isText(text, 0, MAX_TAG_VALUE, UNPRINTABLE)) {
      return `tag ${quote(name)} must be a string of at most ${MAX_TAG_VALUE} printable characters or null, got ${quote(text)}`;
    }
  }
  return undefined;
};

function isText(value: unknown, min: number, max: number, without: RegExp): boolean {
  return typeof value === 'string' && value.length >= min && value.length <= max && !without.test(value);
}

/** What is to change; what is left out stays, and null takes away, as in JSON Merge Patch (RFC 7396). */
export class DeviceChangeDto {
  @ApiPropertyOptional({
    description:
      'Its new name, which no other device has. Its history goes with it, and samples for the old name go on to it until another device ' +
      'is given that name.',
    type: String,
    example: 'lab-pc-2',
  })
  @Optional()
  @Obeys(deviceNameRule)
  device_name?: string;

  @ApiPropertyOptional({
    description: 'What people call it; null for none.',
    nullable: true,
    type: String,
    maxLength: MAX_DISPLAY_NAME,
    example: 'Microscope PC',
  })
  @Optional()
  @Obeys(displayName)
  display_name?: string | null;

  @ApiPropertyOptional({
    description: 'Any text; null for none.',
    nullable: true,
    type: String,
    maxLength: MAX_NOTES,
    example: 'New fan on 2026-01-10.',
  })
  @Optional()
  @Obeys(notes)
  notes?: string | null;

  @ApiPropertyOptional({
    description: `To find and group devices by, at most ${MAX_TAGS}; those that are left out stay, null removes one.`,
    type: 'object',
    additionalProperties: { type: 'string', nullable: true },
    example: { room: 'lab', owner: null },
  })
  @Optional()
  @Obeys(tags)
  tags?: Record<string, string | null>;
}

/**
 * What the store is to do with what is said of a device.
 *
 * @throws Problem, of the function that it gives, when there would be too many tags.
 */
export const changeOf =
  ({ display_name: displayName, notes, tags }: DeviceChangeDto) =>
  (before: DeviceDescription): Partial<DeviceDescription> => ({
    ...(displayName !== undefined && { displayName }),
    ...(notes !== undefined && { notes }),
    ...(tags !== undefined && { tags: changedTags(before.tags, tags) }),
  });

function changedTags(before: Labels, change: Readonly<Record<string, string | null>>): Labels {
  const after = new Map<string, string | null>(Object.entries(before));
  for (const [name, value] of Object.entries(change)) after.set(name, value);
  const left = [...after].filter((tag): tag is [string, string] => tag[1] !== null);
  if (left.length > MAX_TAGS) {
    throw invalidInput([
      { field: 'tags', reason: `must come to at most ${MAX_TAGS} with those that are there, got ${left.length}` },
    ]);
  }
  return Object.fromEntries(left.sort(([a], [b]) => (a < b ? -1 : 1)));
}
