import { parseBytes, parseDuration } from '@device-metrics/domain';
import type { SettingType } from './setting.js';

/** Any text that `rule`, if given, finds nothing wrong with. */
export const text = (allowed = 'text', fits: (text: string) => boolean = () => true): SettingType<string> => ({
  allowed,
  parse: (value) => (fits(value) ? value : undefined),
});

/** A file or folder; a relative one starts at the working folder. */
export const path: SettingType<string> = text('a path');

/** @param called what the number is, as it stands in a mistake. */
export const integer = (min: number, max: number, called = 'an integer'): SettingType<number> => ({
  allowed: `${called} from ${min} to ${max}`,
  parse: (value) => within(/^-?\d{1,16}$/.test(value) ? Number(value) : undefined, min, max),
});

/** @param example as a person would write it, such as `10s`. */
export const duration = (min: string, max: string, example: string): SettingType<number> => ({
  allowed: `a duration from ${min} to ${max}, as in ${example}`,
  parse: (value) => within(parseDuration(value), parseDuration(min), parseDuration(max)),
});

export const bytes: SettingType<number> = {
  allowed: 'bytes, as in 1048576 or 512MiB',
  parse: parseBytes,
};

/** @param least as a person would write it, such as `4KiB`. */
export const bytesFrom = (least: string): SettingType<number> => ({
  allowed: `at least ${least}, as in 1048576 or 512MiB`,
  parse: (value) => within(parseBytes(value), parseBytes(least)),
});

export const oneOf = <T extends string>(choices: readonly T[], when = ''): SettingType<T> => ({
  allowed: `one of ${choices.join(', ')}${when}`,
  parse: (value) => choices.find((choice) => choice === value),
});

export const flag: SettingType<boolean> = {
  allowed: 'true or false',
  parse: (value) => (value === 'true' || value === 'false' ? value === 'true' : undefined),
};

export const url: SettingType<string> = text(
  'a URL that begins with http(s)://',
  (value) => /^https?:\/\//i.test(value) && URL.canParse(value),
);

const within = (value: number | undefined, min = -Infinity, max = Infinity): number | undefined =>
  value !== undefined && value >= min && value <= max ? value : undefined;
