/**
 * What a sample may be, whoever sends it and however. A rule gives what is wrong with a value, or undefined when nothing
 * is. The gate, the DTO classes and the sources of a collector ask the same rules, and so give the same reasons.
 */
export type Rule = (value: unknown) => string | undefined;

/** 2000-01-01T00:00:00Z: an older timestamp comes from a clock that was never set. */
export const EARLIEST_TIMESTAMP = Date.UTC(2000, 0, 1);
/** How far ahead of the receiver's clock a timestamp may be, ms. */
export const MAX_AHEAD = 10 * 60_000;

export const MAX_DEVICE_NAME = 128;
export const MAX_METRIC_NAME = 255;
export const MAX_UNIT = 63;
const MAX_LABELS = 32;
const MAX_LABEL_NAME = 128;
const MAX_LABEL_VALUE = 512;

/** The received value as an error message quotes it: at most 100 characters of a string, only the outline of a structure. */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') {
    return visible(JSON.stringify(value.length > 100 ? `${value.slice(0, 99)}…` : value));
  }
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'number') return String(value);
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return String(value).slice(0, 100);
  if (typeof value !== 'object') return `a ${typeof value}`;
  const names = Object.keys(value);
  return names.length === 0 ? '{}' : `an object with ${quote(names.slice(0, 5).join(', '))}`;
}

/** The reason that a rule gives: what is allowed, and what came. */
export const wrong = (allowed: string, value: unknown): string => `must be ${allowed}, got ${quote(value)}`;

const hex = (character: string): string => (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');

/** What joins letters of some scripts, and makes one emoji of several, or one in another form. */
const JOINER = String.raw`[\p{Join_Control}\p{Variation_Selector}\u{E0020}-\u{E007F}]`;
/** Characters that nobody sees, or that turn the order of those round them; joiners where they join nothing. */
const HIDDEN = new RegExp(
  String.raw`[\p{Zl}\p{Zp}]|(?!${JOINER})\p{Default_Ignorable_Code_Point}|` +
    String.raw`(?<=^|[\p{ASCII}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}])(?!\uFE0F\u20E3)${JOINER}`,
  'gu',
);

/** Of text by which people tell things apart, which they choose: it does not look like another one. What devices send may. */
export function visibleRule(text: string): string | undefined {
  const [hidden] = text.match(HIDDEN) ?? [];
  return hidden === undefined
    ? undefined
    : `must have no character that is not seen or turns text round, got U+${hex(hidden)} in ${quote(text)}`;
}

/** What devices send as it may stand in a sentence, without turning the rest round: `\u{202E}` for what is not seen. */
export const visible = (text: string): string => text.replace(HIDDEN, (hidden) => `\\u{${hex(hidden)}}`);

/** Control characters, and halves of surrogate pairs, which no database would give back as they came. */
export const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;
const METRIC_NAME = /^[A-Za-z_][A-Za-z0-9_.:/-]*$/;

export const deviceNameRule: Rule = (value) =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= MAX_DEVICE_NAME &&
  value.trim().length === value.length &&
  !UNPRINTABLE.test(value) &&
  // In an address they mean this and the folder above, whatever escapes them.
  value !== '.' &&
  value !== '..'
    ? undefined
    : wrong(
        `a string of 1 to ${MAX_DEVICE_NAME} printable characters without space at its ends, and not . or ..`,
        value,
      );

export const metricNameRule: Rule = (value) =>
  typeof value === 'string' && value.length <= MAX_METRIC_NAME && METRIC_NAME.test(value)
    ? undefined
    : wrong(`a string of 1 to ${MAX_METRIC_NAME} letters, digits and _ . : / - that starts with a letter or _`, value);

export const valueRule: Rule = (value) => (Number.isFinite(value) ? undefined : wrong('a finite number', value));

export const unitRule: Rule = (value) =>
  typeof value === 'string' && value.length > 0 && value.length <= MAX_UNIT && !UNPRINTABLE.test(value)
    ? undefined
    : wrong(`a UCUM unit of 1 to ${MAX_UNIT} printable characters, as in "By" or "1"`, value);

export const labelsRule: Rule = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong('an object of strings, as in {"cpu": "0"}', value);
  }
  let count = 0;
  for (const name in value) {
    count += 1;
    if (count > MAX_LABELS) return `must have at most ${MAX_LABELS} labels, got ${Object.keys(value).length}`;
    if (name.length === 0 || name.length > MAX_LABEL_NAME || UNPRINTABLE.test(name)) {
      return `label names must be 1 to ${MAX_LABEL_NAME} printable characters, got ${quote(name)}`;
    }
    const text = (value as Record<string, unknown>)[name];
    if (typeof text !== 'string' || text.length > MAX_LABEL_VALUE || UNPRINTABLE.test(text)) {
      return `label ${quote(name)} must be a string of at most ${MAX_LABEL_VALUE} printable characters, got ${quote(text)}`;
    }
  }
  return undefined;
};

/** What numbers of times count. */
export const TIME_UNITS = {
  ns: { name: 'nanoseconds', milliseconds: 1e-6 },
  us: { name: 'microseconds', milliseconds: 1e-3 },
  ms: { name: 'milliseconds', milliseconds: 1 },
  s: { name: 'seconds', milliseconds: 1e3 },
  m: { name: 'minutes', milliseconds: 60e3 },
  h: { name: 'hours', milliseconds: 3600e3 },
} as const;
export type TimeUnit = keyof typeof TIME_UNITS;

/**
 * Of a time in Unix milliseconds: whether it is near enough to the time of receipt. What a protocol could not read as a
 * time is handed over as it came, and quoted.
 *
 * @param oldest the first time that the receiver still takes, Unix ms.
 * @param unit what the sender's number was taken to count.
 */
export const timeRule =
  (receivedAt: () => number, oldest = EARLIEST_TIMESTAMP, unit: TimeUnit = 'ms'): Rule =>
  (value) => {
    const latest = receivedAt() + MAX_AHEAD;
    const sent = unit === 'ms' || typeof value !== 'number' ? value : Math.round(value / TIME_UNITS[unit].milliseconds);
    const no = (allowed: string): string =>
      `must be ${allowed}, got ${quoteTime(value, sent, unit)}${otherUnit(sent, receivedAt(), unit)}`;
    // What is beyond it came as a number, and is too late.
    if (!Number.isSafeInteger(value) && (unit === 'ms' || typeof value !== 'number')) {
      return no('an RFC 3339 time as in "2026-01-15T10:00:00Z" or integer Unix milliseconds');
    }
    if ((value as number) < oldest) return no(`${toRfc3339(oldest)} or later`);
    if ((value as number) > latest) return no(`no more than 10 minutes ahead of the server (${toRfc3339(latest)})`);
    return Number.isSafeInteger(value) ? undefined : no('a time');
  };

/** Of numbers that count less than milliseconds the last digits are not known any more: they are quoted as the time that they mean. */
function quoteTime(value: unknown, sent: unknown, unit: TimeUnit): string {
  const isCut = (unit === 'ns' || unit === 'us') && Math.abs(value as number) <= LATEST_DATE;
  return isCut ? toRfc3339(value as number) : quote(sent);
}

/** Beyond it a Date has no text, ms. */
const LATEST_DATE = 8.64e15;
const OTHER_UNITS = ['s', 'ms', 'us', 'ns'] as const;
const YEAR = 365 * 86_400_000;

/** Says so where a number would be a time of these years in another unit than the one that it is taken for. */
export function otherUnit(value: unknown, now: number, unit: TimeUnit = 'ms'): string {
  const number = typeof value === 'string' && /^\d{9,20}(\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number') return '';
  const other = OTHER_UNITS.find(
    (one) => one !== unit && Math.abs(number * TIME_UNITS[one].milliseconds - now) < 10 * YEAR,
  );
  if (other === undefined) return unit === 'ms' ? '' : `, taken for ${TIME_UNITS[unit].name}`;
  const { name, milliseconds } = TIME_UNITS[other];
  return unit === 'ms'
    ? `, which looks like ${name}: in milliseconds it is ${Math.round(number * milliseconds)}`
    : `, which looks like ${name} and is taken for ${TIME_UNITS[unit].name}`;
}

/** A time as responses carry it: RFC 3339 in UTC with milliseconds. */
export const toRfc3339 = (time: number): string => new Date(time).toISOString();
