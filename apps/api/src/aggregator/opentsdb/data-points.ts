import { parseDecimal, quote, toMetricName, type Candidate } from '@device-metrics/domain';

/** The device of points without any of the tags that name one. */
const NO_DEVICE = 'opentsdb';

/** Times up to here count seconds, until the year 2106, and larger ones milliseconds. */
const MOST_SECONDS = 2 ** 32;

/** What a point becomes, or why it is none; what it says of itself is for the gate to judge. */
export function candidateOf(point: unknown, deviceTags: readonly string[]): Candidate | string {
  if (typeof point !== 'object' || point === null || Array.isArray(point)) {
    return `must be an object with metric, timestamp, value and tags, got ${quote(point)}`;
  }
  const { metric, timestamp, value, tags = {} } = point as Readonly<Record<string, unknown>>;
  if (typeof tags !== 'object' || tags === null || Array.isArray(tags)) {
    return `tags must be an object of strings, as in {"host": "web-1"}, got ${quote(tags)}`;
  }
  const labels = Object.fromEntries(Object.entries(tags).map(([name, tag]) => [name, textOf(tag)]));
  const deviceTag = deviceTags.find((tag) => labels[tag] !== undefined);
  const deviceName = deviceTag === undefined ? NO_DEVICE : labels[deviceTag];
  if (deviceTag !== undefined) delete labels[deviceTag];
  const metricName = typeof metric === 'string' ? toMetricName(metric) : metric;
  // Names that become the same metric stay apart.
  if (metricName !== metric) labels[labels['name'] === undefined ? 'name' : 'sent.name'] = metric;
  return { deviceName, metricName, unit: undefined, labels, timestamp: timeOf(timestamp), value: numberOf(value) };
}

const textOf = (tag: unknown): unknown => (typeof tag === 'number' || typeof tag === 'boolean' ? String(tag) : tag);

/** Texts with numbers are as good as numbers. */
const numberOf = (value: unknown): unknown => (typeof value === 'string' ? (parseDecimal(value) ?? value) : value);

/** Unix ms, where it is a number. */
function timeOf(timestamp: unknown): unknown {
  const number = numberOf(timestamp);
  return typeof number === 'number' && number <= MOST_SECONDS ? Math.round(number * 1000) : number;
}
