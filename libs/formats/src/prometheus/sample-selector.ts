import { like, matchesAny, quote } from '@device-metrics/domain';
import { Cursor } from './cursor.js';
import { readLabels, type ExposedSample } from './exposition.js';

/** Whether a sample is meant. */
export type SampleSelector = (sample: ExposedSample) => boolean;

const NAME_PATTERN = /[^\s{}"=,]+/y;

/**
 * What `node_cpu_*{mode="idle"}` means: samples of a name that have these labels. `*` is any text, in names and in values;
 * a label that a sample lacks is the empty text.
 *
 * @throws Error that says what is wrong.
 */
export function parseSampleSelector(text: string): SampleSelector {
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
  const named = matchesAny(name === undefined ? undefined : [like(name)]);
  const wanted = Object.entries(labels).map(([label, value]) => [label, matchesAny([like(value)])] as const);
  return (sample) => named(sample.name) && wanted.every(([label, matches]) => matches(labelOf(sample, label)));
}

const labelOf = ({ labels }: ExposedSample, name: string): string =>
  Object.hasOwn(labels, name) ? (labels[name] ?? '') : '';
