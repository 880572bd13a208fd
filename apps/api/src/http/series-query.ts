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

const names: Rule = (value) => {
  const given: unknown[] = Array.isArray(value) ? value : [value];
  const wrong = given.find((name) => typeof name !== 'string' || name.length === 0 || name.length > 255);
  return wrong === undefined
    ? undefined
    : `must be a name of 1 to 255 characters, in which * stands for any characters, got ${quote(wrong)}`;
};

const pairs =
  (example: string): Rule =>
  (value) => {
    const given: unknown[] = Array.isArray(value) ? value : [value];
    const wrong = given.find((pair) => typeof pair !== 'string' || pair.indexOf('=') < 1);
    return wrong === undefined ? undefined : `must be name=value as in ${example}, got ${quote(wrong)}`;
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
  @Obeys(pairs('cpu=0'))
  label?: string[];
}

/** Which devices, and which series of them. */
export class FleetQuery extends SeriesQuery {
  @ApiPropertyOptional({
    description: 'Repeatable, `name=value`: the device has all these tags; `*` in the value stands for any characters.',
    type: [String],
    example: ['room=lab'],
  })
  @Optional()
  @Repeatable()
  @Obeys(pairs('room=lab'))
  tag?: string[];
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
  const labels = hasAll(query.label);
  return (candidate) => device(candidate.deviceName) && metric(candidate.metricName) && labels(candidate.labels);
}

/** Whether a device is one that the query is about, as far as its name and tags say. */
export function selectsDevice({
  device_name,
  tag,
}: Pick<FleetQuery, 'device_name' | 'tag'>): (device: { readonly name: string; readonly tags: Labels }) => boolean {
  const named = matchesAny(device_name);
  const tagged = hasAll(tag);
  return ({ name, tags }) => named(name) && tagged(tags);
}

/** Whether string pairs have all that `name=value` patterns ask for. */
function hasAll(patterns: readonly string[] = []): (pairs: Labels) => boolean {
  const wanted = patterns.map((pair) => {
    const equals = pair.indexOf('=');
    return { name: pair.slice(0, equals), matches: matchesAny([pair.slice(equals + 1)]) };
  });
  return (pairs) => wanted.every(({ name, matches }) => Object.hasOwn(pairs, name) && matches(pairs[name] ?? ''));
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
