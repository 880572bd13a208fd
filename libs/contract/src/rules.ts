import {
  EARLIEST_TIMESTAMP,
  metricNameRule,
  quote,
  timeRule,
  valueRule,
  wrong,
  type Rule,
} from '@device-metrics/domain';

/** The rules of samples are the domain's; here is what the wire format adds: how it writes a time, a run, a reading. */
export {
  deviceNameRule as deviceName,
  EARLIEST_TIMESTAMP,
  labelsRule as labels,
  MAX_AHEAD,
  MAX_DEVICE_NAME,
  MAX_METRIC_NAME,
  MAX_UNIT,
  metricNameRule as metricName,
  quote,
  toRfc3339,
  unitRule as unit,
  UNPRINTABLE,
  valueRule as metricValue,
  type Rule,
} from '@device-metrics/domain';

/**
 * Of a timestamp that the wire carries: its form, and whether it is near enough to the time of receipt.
 *
 * @param oldest the first time that the receiver still takes, Unix ms.
 */
export const timestamp = (receivedAt: () => number, oldest = EARLIEST_TIMESTAMP): Rule => {
  const time = timeRule(receivedAt, oldest);
  return (value) => time(parseTime(value) ?? value);
};

/** The same but for times too far ahead: whoever has the clock that samples go by looks at those. */
export const timestampForm: Rule = (value) => {
  const time = parseTime(value);
  return time !== undefined && time >= EARLIEST_TIMESTAMP ? undefined : timestamp(Date.now)(value);
};

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
      const valueReason = valueRule(pair[1]);
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
    const reason = metricNameRule(name);
    if (reason !== undefined) return `metric name ${reason}`;
    const number = (value as Record<string, unknown>)[name];
    const valueReason = valueRule(number);
    if (valueReason !== undefined) return `${quote(name)} ${valueReason}`;
  }
  return empty ? 'must have at least one metric, got {}' : undefined;
};
