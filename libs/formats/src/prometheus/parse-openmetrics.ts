import { quote, reasonOf } from '@device-metrics/domain';
import { readLine, type ParseOptions } from '../lines.js';
import { Cursor } from './cursor.js';
import {
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
 * @throws LineError at the first line that is wrong, with its number, unless `options.reject` takes it.
 */
export function parseOpenMetrics(text: string, options: ParseOptions = {}): ExposedSample[] {
  const { reject } = options;
  let lines = 0;
  const rejectHere = reject && ((reason: string): void => reject(`line ${lines}`, reason));
  const exposition = new Exposition(rejectHere);
  const read = (line: string): void => {
    lines += 1;
    exposition.line(line);
  };
  readLines(text.endsWith('# EOF') ? `${text}\n` : text, read, reject, true);
  if (!exposition.ended) {
    const missing = (): never => {
      throw new Error('# EOF is missing; the answer seems cut off');
    };
    readLine(lines + 1, missing, reject);
  }
  const samples = [...exposition.samples.values()];
  return options.timestamps ? samples : samples.map(({ timestamp: _timestamp, ...sample }) => sample);
}

class Exposition {
  readonly samples = new Map<string, ExposedSample>();
  ended = false;
  private readonly families = new Set<string>();
  private family: Family | undefined;

  /** @param reject takes what is wrong with lines before this one, which costs this one nothing. */
  constructor(private readonly reject: ((reason: string) => void) | undefined) {}

  line(line: string): void {
    if (this.ended) throw new Error('nothing may follow # EOF');
    if (line === '') throw new Error('is empty, which OpenMetrics does not allow');
    if (line === '# EOF') {
      this.ended = true;
      this.endFamily();
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
    this.endFamily();
    const isTwin = this.family?.name === name;
    if (this.families.has(name) && !isTwin) throw new Error(`the lines of ${name} must stand together`);
    this.families.add(name);
    return (this.family = new Family(name, isTwin));
  }

  private endFamily(): void {
    try {
      this.family?.end();
    } catch (error) {
      if (!this.reject) throw error;
      this.reject(reasonOf(error));
    }
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
    this.keep({
      name,
      labels,
      value,
      ...(family.unit !== '' && { unit: family.unit }),
      ...(timestamp !== undefined && { timestamp: Math.round(timestamp * 1000) }),
    });
  }

  private keep(sample: ExposedSample): void {
    const key = seriesKey(sample.name, sample.labels);
    const before = this.samples.get(key);
    if (before) {
      if (before.timestamp === undefined || sample.timestamp === undefined)
        throw new Error(`${sample.name} comes twice with the same labels`);
      if (sample.timestamp < before.timestamp) throw new Error(`the timestamps of ${sample.name} must grow`);
    }
    this.samples.set(key, sample);
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
