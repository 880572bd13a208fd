import { quote } from '@device-metrics/contract/rules';
import { isLike } from '../pattern.js';
import { Cursor } from './cursor.js';
import { readLabels, type ExposedSample } from './exposition.js';

/** Whether a sample is meant. */
export type Selector = (sample: ExposedSample) => boolean;

const NAME_PATTERN = /[^\s{}"=,]+/y;

/**
 * What `node_cpu_*{mode="idle"}` means: samples of a name that have these labels. `*` is any text, in names and in values;
 * a label that a sample lacks is the empty text.
 *
 * @throws Error that says what is wrong.
 */
export function parseSelector(text: string): Selector {
  const cursor = new Cursor(text.trim());
  const name = cursor.match(NAME_PATTERN);
  if (name === undefined && !cursor.ahead('{')) {
    throw new Error(`must be a name and labels, as in node_cpu_*{mode="idle"}, got ${quote(text)}`);
  }
  const labels = cursor.take('{')
    ? readLabels(cursor, { loose: true, unknownEscape: (letter) => `\\${letter}` })
    : ({} as Record<string, string>);
  cursor.skip();
  if (!cursor.atEnd) throw new Error(`nothing may follow a name and its labels, got ${cursor.rest}`);
  const wanted = Object.entries(labels);
  return (sample) =>
    isLike(sample.name, name ?? '*') && wanted.every(([label, value]) => isLike(labelOf(sample, label), value));
}

const labelOf = ({ labels }: ExposedSample, name: string): string =>
  Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
