import { quote } from '@device-metrics/domain';
import type { ParseOptions } from '../lines.js';
import { Cursor } from './cursor.js';
import {
  readLines,
  readMetricName,
  readNumber,
  readSeries,
  TOKEN,
  type ExposedSample,
  type LabelRules,
} from './exposition.js';

const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped'];

/** A backslash before any other letter than \, " and n is a backslash, as Prometheus has it: paths of Windows. */
const LABELS: LabelRules = { loose: true, unknownEscape: (letter) => `\\${letter}` };

/**
 * The samples of an exposition in the Prometheus text format 0.0.4 or 1.0.0, in their order; whatever Prometheus itself reads
 * is read. Of a series that comes twice both samples are given: the last counts.
 *
 * @throws LineError at the first line that is wrong, with its number, unless `options.reject` takes it.
 */
export function parseText(text: string, options: ParseOptions = {}): ExposedSample[] {
  const samples: ExposedSample[] = [];
  readLines(
    text,
    (line) => {
      const sample = parseLine(line.endsWith('\r') ? line.slice(0, -1) : line);
      if (!sample) return;
      const { timestamp, ...others } = sample;
      samples.push(options.timestamps && timestamp !== undefined ? sample : others);
    },
    options.reject,
  );
  return samples;
}

function parseLine(line: string): ExposedSample | undefined {
  const cursor = new Cursor(line);
  cursor.skip();
  if (cursor.atEnd) return undefined;
  if (!cursor.take('#')) return readSample(cursor);
  checkComment(cursor);
  return undefined;
}

/** HELP and TYPE may come more than once, and after the samples; all that matters of them is that they can be read. */
function checkComment(cursor: Cursor): void {
  cursor.skip();
  const keyword = cursor.match(TOKEN);
  if (keyword !== 'HELP' && keyword !== 'TYPE') return;
  cursor.skip();
  const name = readMetricName(cursor, LABELS);
  if (name === undefined) throw new Error(`${keyword} needs the name of a metric, got ${cursor.rest}`);
  cursor.skip();
  const type = cursor.remaining.trim();
  if (keyword === 'TYPE' && !TYPES.includes(type)) {
    throw new Error(`the type of ${name} must be one of ${TYPES.join(', ')}, got ${quote(type)}`);
  }
}

function readSample(cursor: Cursor): ExposedSample {
  const { name, labels } = readSeries(cursor, LABELS);
  cursor.skip();
  const value = readNumber(cursor, 'value');
  cursor.skip();
  const timestamp = cursor.match(TOKEN);
  if (timestamp !== undefined && !/^[+-]?\d+$/.test(timestamp)) {
    throw new Error(`the timestamp must be whole milliseconds, got ${quote(timestamp)}`);
  }
  cursor.skip();
  if (!cursor.atEnd) throw new Error(`nothing may follow the timestamp, got ${cursor.rest}`);
  return { name, labels, value, ...(timestamp !== undefined && { timestamp: Number(timestamp) }) };
}
