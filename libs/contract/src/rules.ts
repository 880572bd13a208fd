/**
 * What the wire format allows in each field. A rule gives what is wrong with a value, or undefined when nothing is. The
 * DTO classes and the batch decoder ask the same rules, and so give the same reasons.
 */
export type Rule = (value: unknown) => string | undefined;

/** 2000-01-01T00:00:00Z: an older timestamp comes from a clock that was never set. */
export const EARLIEST_TIMESTAMP = Date.UTC(2000, 0, 1);
/** How far ahead of the receiver's clock a timestamp may be, ms. */
export const MAX_AHEAD = 10 * 60_000;

export const MAX_DEVICE_NAME = 128;
export const MAX_METRIC_NAME = 255;
export const MAX_UNIT = 63;
export const MAX_LABELS = 32;
export const MAX_LABEL_NAME = 128;
export const MAX_LABEL_VALUE = 512;

/** The received value as an error message quotes it: at most 100 characters of a string, only the outline of a structure. */
export function quote(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'string') return JSON.stringify(value.length > 100 ? `${value.slice(0, 99)}…` : value);
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const names = Object.keys(value);
  return names.length === 0 ? '{}' : `an object with ${quote(names.slice(0, 5).join(', '))}`;
}

const wrong = (allowed: string, value: unknown): string => `must be ${allowed}, got ${quote(value)}`;

/** Control characters, and halves of surrogate pairs, which no database would give back as they came. */
export const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;
const METRIC_NAME = /^[A-Za-z_][A-Za-z0-9_.:/-]*$/;

export const deviceName: Rule = (value) =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= MAX_DEVICE_NAME &&
  value.trim().length === value.length &&
  !UNPRINTABLE.test(value)
    ? undefined
    : wrong(`a string of 1 to ${MAX_DEVICE_NAME} printable characters without space at its ends`, value);

export const metricName: Rule = (value) =>
  typeof value === 'string' && value.length <= MAX_METRIC_NAME && METRIC_NAME.test(value)
    ? undefined
    : wrong(`a string of 1 to ${MAX_METRIC_NAME} letters, digits and _ . : / - that starts with a letter or _`, value);

export const metricValue: Rule = (value) => (Number.isFinite(value) ? undefined : wrong('a finite number', value));

export const unit: Rule = (value) =>
  typeof value === 'string' && value.length > 0 && value.length <= MAX_UNIT && !UNPRINTABLE.test(value)
    ? undefined
    : wrong(`a UCUM unit of 1 to ${MAX_UNIT} printable characters, as in "By" or "1"`, value);

export const labels: Rule = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong('an object of strings, as in {"cpu": "0"}', value);
  }
  let count = 0;
  for (const name in value) {
    count += 1;
    if (count > MAX_LABELS) return `must have at most ${MAX_LABELS} labels`;
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

/**
 * Of a timestamp that the wire carries: its form, and whether it is near enough to the time of receipt.
 *
 * @param oldest the first time that the receiver still takes, Unix ms.
 */
export const timestamp =
  (receivedAt: () => number, oldest = EARLIEST_TIMESTAMP): Rule =>
  (value) => {
    const time = parseTime(value);
    if (time === undefined) {
      return wrong('an RFC 3339 time as in "2026-01-15T10:00:00Z" or integer Unix milliseconds', value);
    }
    if (time < oldest) return wrong(`${toRfc3339(oldest)} or later`, value);
    const latest = receivedAt() + MAX_AHEAD;
    if (time > latest) return wrong(`no more than 10 minutes ahead of the server (${toRfc3339(latest)})`, value);
    return undefined;
  };

/** A time as responses carry it: RFC 3339 in UTC with milliseconds. */
export const toRfc3339 = (time: number): string => new Date(time).toISOString();

const RFC_3339 =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d{2}):(\d{2}))$/;

/**
 * Unix milliseconds of an integer or of an RFC 3339 time, whose digits beyond the millisecond are cut off; undefined for
 * anything else, for days that no calendar has, and for leap seconds.
 */
export function parseTime(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined;
  if (typeof value !== 'string') return undefined;
  const match = RFC_3339.exec(value);
  if (!match) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)];
  const offsetHour = part(10);
  const offsetMinute = part(11);
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  const milliseconds = Number((match[7] ?? '').slice(0, 3).padEnd(3, '0'));
  const offset = (match[9] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute);
  return date.getTime() + ((hour * 60 + minute - offset) * 60 + second) * 1000 + milliseconds;
}

/** The samples of a run: at least one pair of timestamp and value. */
export const samples = (receivedAt: () => number, oldest?: number): Rule => {
  const time = timestamp(receivedAt, oldest);
  return (value) => {
    if (!Array.isArray(value) || value.length === 0) {
      return wrong('a non-empty array of [timestamp, value] pairs', value);
    }
    for (let index = 0; index < value.length; index += 1) {
      const pair: unknown = value[index];
      if (!Array.isArray(pair) || pair.length !== 2) {
        return `[${index}] ${wrong('a pair [timestamp, value]', pair)}`;
      }
      const reason = time(pair[0]);
      if (reason !== undefined) return `[${index}] timestamp ${reason}`;
      const valueReason = metricValue(pair[1]);
      if (valueReason !== undefined) return `[${index}] value ${valueReason}`;
    }
    return undefined;
  };
};

/** The values of a reading of one device: at least one metric name with its value. */
export const values: Rule = (value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return wrong('an object of metric names and numbers, as in {"system.uptime": 86400}', value);
  }
  let empty = true;
  for (const name in value) {
    empty = false;
    const reason = metricName(name);
    if (reason !== undefined) return `metric name ${reason}`;
    const number = (value as Record<string, unknown>)[name];
    const valueReason = metricValue(number);
    if (valueReason !== undefined) return `${quote(name)} ${valueReason}`;
  }
  return empty ? 'must have at least one metric, got {}' : undefined;
};
