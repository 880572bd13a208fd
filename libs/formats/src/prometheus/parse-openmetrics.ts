import { quote } from '@device-metrics/domain';
import { Cursor } from './cursor.js';
import {
  ExpositionError,
  parseNumber,
  readLabels,
  readLines,
  readMetricName,
  readNumber,
  readSeries,
  seriesKey,
  TOKEN,
  type ExposedSample,
  type LabelRules,
} from './exposition.js';
import { checkSample, Family, TYPES } from './openmetrics-family.js';

/** Of the labels of an exemplar, names and values together. */
const LONGEST_EXEMPLAR = 128;
/** The grammar lets a backslash stand before any letter; it then means itself. */
const LABELS: LabelRules = { loose: false, unknownEscape: (letter) => `\\${letter}` };

/**
 * The samples of an exposition in OpenMetrics 1.0, in their order. Of a metric with several points the last one counts;
 * exemplars are checked and left out.
 *
 * @throws ExpositionError at the first line that is wrong, with its number.
 */
export function parseOpenMetrics(text: string): ExposedSample[] {
  const exposition = new Exposition();
  let lines = 0;
  readLines(text.endsWith('# EOF') ? `${text}\n` : text, (line) => {
    lines += 1;
    exposition.line(line);
  });
  if (!exposition.ended) throw new ExpositionError(`line ${lines + 1}: # EOF is missing; the answer seems cut off`);
  return [...exposition.samples.values()];
}

class Exposition {
  readonly samples = new Map<string, ExposedSample>();
  ended = false;
  private readonly timestamps = new Map<string, number>();
  private readonly families = new Set<string>();
  private family: Family | undefined;

  line(line: string): void {
    if (this.ended) throw new Error('nothing may follow # EOF');
    if (line === '') throw new Error('is empty, which OpenMetrics does not allow');
    if (line === '# EOF') {
      this.family?.end();
      this.ended = true;
    } else if (line.startsWith('#')) this.metadata(line);
    else this.sample(new Cursor(line));
  }

  private metadata(line: string): void {
    const cursor = new Cursor(line);
    const keyword = cursor.match(/# (HELP|TYPE|UNIT) /y)?.slice(2, -1);
    const name = keyword === undefined ? undefined : readMetricName(cursor, LABELS);
    if (name === undefined || !cursor.take(' ')) {
      throw new Error(`must be # HELP, # TYPE, # UNIT with a name and text, or # EOF, got ${quote(line)}`);
    }
    const text = cursor.remaining;
    const family = this.family?.name === name && !this.family.mayHaveTwin ? this.family : this.open(name);
    if (keyword === 'TYPE') {
      if (!TYPES.includes(text))
        throw new Error(`the type of ${name} must be one of ${TYPES.join(', ')}, got ${quote(text)}`);
      family.describe('TYPE', text);
    } else family.describe(keyword as 'HELP' | 'UNIT', text);
  }

  private open(name: string): Family {
    this.family?.end();
    const isTwin = this.family?.name === name;
    if (this.families.has(name) && !isTwin) throw new Error(`the lines of ${name} must stand together`);
    this.families.add(name);
    return (this.family = new Family(name, isTwin));
  }

  private sample(cursor: Cursor): void {
    const { name, labels } = readSeries(cursor, LABELS);
    const family = this.family?.takes(name) ? this.family : this.open(name);
    space(cursor, 'the value');
    const value = readNumber(cursor, 'value');
    const timestamp = cursor.ahead(' ') && !cursor.ahead(' #') ? readTimestamp(cursor) : undefined;
    if (!cursor.atEnd) readExemplar(cursor, family, name);
    checkSample(family, { name, labels, value });
    family.sampled = true;
    this.keep({ name, labels, value, ...(family.unit !== '' && { unit: family.unit }) }, timestamp);
  }

  private keep(sample: ExposedSample, timestamp: number | undefined): void {
    const key = seriesKey(sample.name, sample.labels);
    if (this.samples.has(key)) {
      const before = this.timestamps.get(key);
      if (before === undefined || timestamp === undefined)
        throw new Error(`${sample.name} comes twice with the same labels`);
      if (timestamp <= before) throw new Error(`the timestamps of ${sample.name} must grow`);
    }
    this.samples.set(key, sample);
    if (timestamp !== undefined) this.timestamps.set(key, timestamp);
  }
}

function space(cursor: Cursor, before: string): void {
  if (!cursor.take(' ')) throw new Error(`one space must stand before ${before}, got ${cursor.rest}`);
}

/** Unix seconds. */
function readTimestamp(cursor: Cursor): number {
  space(cursor, 'the timestamp');
  const text = cursor.match(TOKEN) ?? '';
  const timestamp = parseNumber(text);
  if (timestamp === undefined || !Number.isFinite(timestamp)) {
    throw new Error(`the timestamp must be seconds since 1970, got ${quote(text)}`);
  }
  return timestamp;
}

/** `# {trace_id="abc"} 0.67 1520879607.789`, on buckets and counters only. */
function readExemplar(cursor: Cursor, family: Family, name: string): void {
  if (!cursor.take(' # {')) throw new Error(`only an exemplar may follow, got ${cursor.rest}`);
  if (!name.endsWith('_bucket') && !(family.type === 'counter' && name.endsWith('_total'))) {
    throw new Error(`${name} may have no exemplar; buckets and counters may`);
  }
  const labels = readLabels(cursor, LABELS);
  const length = Object.entries(labels).reduce((sum, [key, text]) => sum + [...key, ...text].length, 0);
  if (length > LONGEST_EXEMPLAR) throw new Error(`an exemplar may have ${LONGEST_EXEMPLAR} characters, got ${length}`);
  space(cursor, 'the value of the exemplar');
  readNumber(cursor, 'value of the exemplar');
  if (!cursor.atEnd) readTimestamp(cursor);
  if (!cursor.atEnd) throw new Error(`nothing may follow the exemplar, got ${cursor.rest}`);
}
