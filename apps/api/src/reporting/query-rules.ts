import { metricNameRule, quote, type Rule } from '@device-metrics/contract';
import { isTimeZone, nominalLength, parseAggregation, parseStep } from '@device-metrics/domain';
import { Transform } from 'class-transformer';

/** Rows of one page. */
export const MAX_LIMIT = 100_000;
/** Series of one comparison. */
export const MAX_COMPARED = 1000;

export const oneOf =
  (...allowed: readonly string[]): Rule =>
  (value) =>
    typeof value === 'string' && allowed.includes(value)
      ? undefined
      : `must be one of ${allowed.join(', ')}, got ${quote(value)}`;

/** A step may be a century; of longer ones the ends would be beyond what calendars can do. */
const MAX_STEP = 100 * 365 * 86_400_000;

export const step: Rule = (value) =>
  value === 'auto' || isStep(value)
    ? undefined
    : `must be a duration such as 30s, 5m, 1h or 1d, or 1w, 1mo or 1y of the calendar, up to 100y, or auto, got ${quote(value)}`;

/** Of `offset` in a query. */
export const offsetRule: Rule = (value) =>
  isStep(value)
    ? undefined
    : `must be a duration such as 6h or 7d, or 1w, 1mo or 1y of the calendar, up to 100y, got ${quote(value)}`;

function isStep(value: unknown): boolean {
  const length = typeof value === 'string' ? parseStep(value) : undefined;
  return length !== undefined && nominalLength(length) <= MAX_STEP;
}

/** Aggregations or quantiles of one answer. */
export const MAX_AGGREGATIONS = 20;

const tooMany = ({ length }: readonly unknown[]): string | undefined =>
  length > MAX_AGGREGATIONS ? `must be at most ${MAX_AGGREGATIONS}, got ${length}` : undefined;

export const aggregations: Rule = (value) => {
  const names: unknown[] = Array.isArray(value) ? value : [value];
  const wrong = names.find((name) => typeof name !== 'string' || parseAggregation(name) === undefined);
  return wrong === undefined
    ? tooMany(names)
    : `must be mean, min, max, sum, count, first, last, rate, increase or a percentile as p95 or p99.9, got ${quote(wrong)}`;
};

export const quantiles: Rule = (value) => {
  const names: unknown[] = Array.isArray(value) ? value : [value];
  const wrong = names.find((name) => typeof name !== 'string' || parseAggregation(name)?.kind !== 'quantile');
  return wrong === undefined
    ? tooMany(names)
    : `must be a percentile from p0 to p100, as p95 or p99.9, got ${quote(wrong)}`;
};

export const timeZone: Rule = (value) =>
  typeof value === 'string' && isTimeZone(value)
    ? undefined
    : `must be an IANA time zone as Europe/Berlin, got ${quote(value)}`;

export const limit: Rule = (value) =>
  typeof value === 'string' && /^\d{1,9}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_LIMIT
    ? undefined
    : `must be an integer from 1 to ${MAX_LIMIT}, got ${quote(value)}`;

/** Names in repeated parameters, or in one with commas; each once. */
export const CommaSeparated = (): PropertyDecorator =>
  Transform(({ value }) => {
    const given: unknown = value;
    const texts: unknown[] = Array.isArray(given) ? given : [given];
    return given === undefined
      ? undefined
      : [...new Set(texts.flatMap((text) => (typeof text === 'string' ? text.split(',') : [text])))];
  });

export const metricName: Rule = (value) =>
  typeof value === 'string' && metricNameRule(value) === undefined
    ? undefined
    : `must be the name of one metric, got ${quote(value)}`;

export const count: Rule = (value) =>
  typeof value === 'string' && /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_COMPARED
    ? undefined
    : `must be an integer from 1 to ${MAX_COMPARED}, got ${quote(value)}`;

export const oneAggregation: Rule = (value) => aggregations([value]);
