import { ApiPropertyOptional } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import { ValidateIf } from 'class-validator';
import { Obeys, quote, type Rule } from '@device-metrics/contract';
import type { Labels } from '@device-metrics/domain';

/** A query parameter may be left out. */
export const Optional = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined);

/** A query parameter may be repeated; one is a list of one. */
export const Repeatable = (): PropertyDecorator =>
  Transform(({ value }) => {
    const given: unknown = value;
    return given === undefined || Array.isArray(given) ? given : [given];
  });

const names: Rule = (value) =>
  Array.isArray(value) && value.every((name) => typeof name === 'string' && name.length > 0 && name.length <= 255)
    ? undefined
    : `must be a name of 1 to 255 characters, in which * stands for any characters, got ${quote(value)}`;

const labelPairs: Rule = (value) => {
  const pairs: unknown[] = Array.isArray(value) ? value : [value];
  const wrong = pairs.find((pair) => typeof pair !== 'string' || pair.indexOf('=') < 1);
  return wrong === undefined ? undefined : `must be name=value as in cpu=0, got ${quote(wrong)}`;
};

/** Which series a call is about; a parameter that is left out does not restrict. */
export class SeriesQuery {
  @ApiPropertyOptional({
    description: 'Repeatable; `*` stands for any characters.',
    type: [String],
    example: ['lab-*'],
  })
  @Optional()
  @Repeatable()
  @Obeys(names)
  device_name?: string[];

  @ApiPropertyOptional({
    description: 'Repeatable; `*` stands for any characters.',
    type: [String],
    example: ['system.cpu.*'],
  })
  @Optional()
  @Repeatable()
  @Obeys(names)
  metric_name?: string[];

  @ApiPropertyOptional({
    description:
      'Repeatable, `name=value`: the series has all these labels; `*` in the value stands for any characters.',
    type: [String],
    example: ['cpu=0'],
  })
  @Optional()
  @Repeatable()
  @Obeys(labelPairs)
  label?: string[];
}

interface Selectable {
  readonly deviceName: string;
  readonly metricName: string;
  readonly labels: Labels;
}

/** Whether a series, or a sample of it, is one that the query is about. */
export function selects(query: SeriesQuery): (candidate: Selectable) => boolean {
  const device = matchesAny(query.device_name);
  const metric = matchesAny(query.metric_name);
  const labels = (query.label ?? []).map((pair) => {
    const equals = pair.indexOf('=');
    return { name: pair.slice(0, equals), matches: matchesAny([pair.slice(equals + 1)]) };
  });
  return (candidate) =>
    device(candidate.deviceName) &&
    metric(candidate.metricName) &&
    labels.every(({ name, matches }) => Object.hasOwn(candidate.labels, name) && matches(candidate.labels[name] ?? ''));
}

/** Whether a text is one of the patterns; without patterns every text is. */
function matchesAny(patterns: readonly string[] | undefined): (text: string) => boolean {
  if (!patterns) return () => true;
  if (patterns.every((pattern) => !pattern.includes('*'))) {
    const exact = new Set(patterns);
    return (text) => exact.has(text);
  }
  const matchers = patterns.map(wildcard);
  return (text) => matchers.some((matches) => matches(text));
}

/** Linear in the text for each part of the pattern, unlike a regular expression of several `.*`. */
function wildcard(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text === pattern;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let from = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, from);
      if (found < 0) return false;
      from = found + part.length;
    }
    return text.length - last.length >= from && text.endsWith(last);
  };
}
