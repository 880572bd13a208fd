import { MINUTE, DAY, like, parseAggregation, quote, type PairPattern, type Selector } from '@device-metrics/domain';
import { ObjectReader, readAll } from '../reader.js';
import { templateMistake } from '../telling/templates.js';
import {
  SEVERITIES,
  type ChangeCondition,
  type Condition,
  type LevelCondition,
  type Override,
  type Rule,
} from './rule.js';

/** How often the rules are looked at; `every` is a multiple of it. */
export const GRID = 15_000;
/** Data may come so late, and is still taken in. */
export const LATENESS = 5 * MINUTE;

/** @throws MistakesError with the path of each mistake. */
export const readRule = (document: unknown): Rule =>
  readAll((mistakes) => {
    const reader = new ObjectReader(document, '', mistakes);
    const rule = ruleOf(reader);
    reader.end();
    return rule;
  });

function ruleOf(reader: ObjectReader): Rule {
  const condition = conditionOf(reader.inner('condition'));
  const clear = reader.inner('clear');
  const rule: Rule = {
    name: reader.name('name'),
    enabled: reader.flag('enabled', true),
    selector: selectorOf(reader, condition),
    condition,
    for: reader.duration('for', 0),
    clear: { level: clear.optionalNumber('level'), for: clear.duration('for', 0) },
    severity: reader.oneOf('severity', SEVERITIES, 'warning'),
    noData: reader.oneOf('no_data', ['keep', 'clear', 'alert'], 'keep'),
    noDataAfter: reader.duration('no_data_after', LATENESS, MINUTE),
    every: reader.duration('every', condition.type === 'full' ? LATENESS : GRID, GRID, DAY),
    labels: reader.pairs('labels'),
    text: reader.has('text') ? reader.text('text', undefined, 2_000) : '',
    overrides: reader.list('overrides', overrideOf),
  };
  clear.end();
  const mistake = templateMistake(rule.text);
  if (mistake !== undefined) reader.note('text', mistake);
  const level = levelOf(condition);
  if (rule.clear.level !== undefined && (level === undefined || !isRighter(condition, rule.clear.level, level))) {
    reader.note('clear', `must have a level on the right side of the condition's, got ${rule.clear.level}`);
  }
  return rule;
}

function overrideOf(reader: ObjectReader): Override {
  return {
    device: patterns(reader, 'device') ?? [],
    enabled: reader.flag('enabled', true),
    level: reader.optionalNumber('level'),
    for: reader.has('for') ? reader.duration('for', 0) : undefined,
  };
}

/** Names with wildcards, or `name=value` pairs. */
export const patterns = (reader: ObjectReader, key: string): string[] | undefined =>
  reader.texts(key, 'names of 1 to 255 characters, in which * stands for any characters', () => true);
const pairPatterns = (reader: ObjectReader, key: string): PairPattern[] | undefined =>
  reader
    .texts(key, 'name=value, such as "room=lab"', (text) => text.indexOf('=') > 0)
    ?.map((pair) => {
      const text = String(pair);
      const equals = text.indexOf('=');
      return [text.slice(0, equals), like(text.slice(equals + 1))] as const;
    });

/** `device`, `metric`, `label`, `tag` as in the queries of reports. */
export function readSelector(reader: ObjectReader, metrics = true): Selector {
  const selector = {
    devices: patterns(reader, 'device')?.map((text) => like(String(text))),
    metrics: metrics ? patterns(reader, 'metric')?.map((text) => like(String(text))) : undefined,
    labels: metrics ? pairPatterns(reader, 'label') : undefined,
    tags: pairPatterns(reader, 'tag'),
  };
  reader.end();
  return selector;
}

function selectorOf(reader: ObjectReader, { type }: Condition): Selector {
  const select = reader.inner('select');
  const ofSeries = type !== 'device' && type !== 'clock' && type !== 'server';
  const selector = readSelector(select, ofSeries);
  if (ofSeries && selector.metrics === undefined) select.note('metric', 'must name the metrics, got nothing');
  return selector;
}

const TYPES = ['level', 'change', 'full', 'switched', 'device', 'clock', 'server'] as const;

function conditionOf(reader: ObjectReader): Condition {
  const condition = conditionOfType(reader, reader.oneOf('type', TYPES, 'level'));
  reader.end();
  return condition;
}

function conditionOfType(reader: ObjectReader, type: (typeof TYPES)[number]): Condition {
  switch (type) {
    case 'level':
      return levelCondition(reader);
    case 'change':
      return changeCondition(reader);
    case 'full':
      return {
        type,
        within: reader.duration('within', 3 * DAY, MINUTE),
        window: reader.duration('window', 3 * DAY, 10 * MINUTE, 60 * DAY),
        limit: reader.number('limit', 1),
      };
    case 'switched':
      return {
        type,
        label: reader.text('label', undefined),
        from: reader.text('from', undefined),
        to: reader.text('to', undefined),
      };
    case 'device':
      return { type, status: reader.oneOf('status', ['late', 'offline'], 'offline') };
    case 'clock':
      return { type, above: reader.duration('above', MINUTE, 1_000) };
    case 'server':
      return {
        type,
        measure: reader.oneOf('measure', ['damaged', 'refused', 'disk']),
        above: reader.number('above', 0),
        window: reader.duration('window', 5 * MINUTE, GRID, DAY),
      };
  }
}

const measureOf = (reader: ObjectReader, fallback: string): string => {
  const measure = reader.text('measure', fallback);
  if (typeof measure !== 'string' || measure === 'last' || measure === 'share' || parseAggregation(measure))
    return measure;
  reader.note(
    'measure',
    `must be last, share, or as in reports mean, min, max, sum, count, p95, rate, increase, got ${quote(measure)}`,
  );
  return fallback;
};

function levelCondition(reader: ObjectReader): LevelCondition {
  const outside = reader.value('outside');
  const isBand =
    Array.isArray(outside) && outside.length === 2 && outside.every(Number.isFinite) && outside[0] <= outside[1];
  if (outside !== undefined && !isBand) {
    reader.note('outside', `must be two numbers, the smaller first, got ${quote(outside)}`);
  }
  const condition: LevelCondition = {
    type: 'level',
    measure: measureOf(reader, 'last'),
    window: reader.duration('window', LATENESS, GRID, 60 * DAY),
    above: reader.optionalNumber('above'),
    below: reader.optionalNumber('below'),
    outside: isBand ? (outside as [number, number]) : undefined,
    equals: reader.optionalNumber('equals'),
    aboveMetric: reader.has('above_metric') ? reader.text('above_metric', undefined) : undefined,
  };
  const { above, below, equals, aboveMetric } = condition;
  if ([above, below, outside, equals, aboveMetric].every((bound) => bound === undefined)) {
    reader.note('', 'must have above, below, outside, equals or above_metric');
  }
  return condition;
}

function changeCondition(reader: ObjectReader): ChangeCondition {
  const condition: ChangeCondition = {
    type: 'change',
    measure: measureOf(reader, 'mean'),
    window: reader.duration('window', 60 * MINUTE, MINUTE, 60 * DAY),
    above: reader.optionalNumber('above'),
    below: reader.optionalNumber('below'),
  };
  if (condition.above === undefined && condition.below === undefined) reader.note('', 'must have above or below');
  return condition;
}

/** The one level of a condition, where it has one. */
export function levelOf(condition: Condition): number | undefined {
  switch (condition.type) {
    case 'level':
    case 'change':
      return condition.above ?? condition.below;
    case 'server':
      return condition.above;
    default:
      return undefined;
  }
}

const isRighter = (condition: Condition, level: number, than: number): boolean =>
  'above' in condition && condition.above !== undefined ? level <= than : level >= than;
