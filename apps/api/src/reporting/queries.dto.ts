import { ApiProperty, ApiPropertyOptional, IntersectionType, PickType } from '@nestjs/swagger';
import { metricNameRule, Obeys, quote, type Rule } from '@device-metrics/contract';
import { isTimeZone, parseAggregation, parseDuration } from '@device-metrics/domain';
import { Transform } from 'class-transformer';
import { Optional, SeriesQuery } from '../http/series-query.js';
import { decodeCursor } from './report-table.js';
import { parseGrouping, SORT_KEYS } from './summary.js';
import { queryTimeRule, timeRangeRule } from './time-span.js';

export const FORMATS = ['json', 'csv', 'ndjson'] as const;
export type Format = (typeof FORMATS)[number];

const MAX_LIMIT = 100_000;

const oneOf =
  (...allowed: readonly string[]): Rule =>
  (value) =>
    typeof value === 'string' && allowed.includes(value)
      ? undefined
      : `must be one of ${allowed.join(', ')}, got ${quote(value)}`;

const step: Rule = (value) =>
  value === 'auto' || (typeof value === 'string' && parseDuration(value) !== undefined)
    ? undefined
    : `must be a duration as in 30s, 5m, 1h or 1d, or auto, got ${quote(value)}`;

const aggregations: Rule = (value) => {
  const names: unknown[] = Array.isArray(value) ? value : [value];
  const wrong = names.find((name) => typeof name !== 'string' || parseAggregation(name) === undefined);
  return wrong === undefined
    ? undefined
    : `must be mean, min, max, sum, count, first, last, rate, increase or a percentile as p95 or p99.9, got ${quote(wrong)}`;
};

const timeZone: Rule = (value) =>
  typeof value === 'string' && isTimeZone(value)
    ? undefined
    : `must be an IANA time zone as Europe/Berlin, got ${quote(value)}`;

const limit: Rule = (value) =>
  typeof value === 'string' && /^\d{1,9}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_LIMIT
    ? undefined
    : `must be an integer from 1 to ${MAX_LIMIT}, got ${quote(value)}`;

const cursor: Rule = (value) =>
  typeof value === 'string' && decodeCursor(value)
    ? undefined
    : `must be the next_cursor of a page, got ${quote(value)}`;

/** Names in repeated parameters, or in one with commas. */
const CommaSeparated = (): PropertyDecorator =>
  Transform(({ value }) => {
    const given: unknown = value;
    const texts: unknown[] = Array.isArray(given) ? given : [given];
    return given === undefined
      ? undefined
      : texts.flatMap((text) => (typeof text === 'string' ? text.split(',') : [text]));
  });

export class DeviceReportQuery extends PickType(SeriesQuery, ['metric_name', 'label'] as const) {
  @ApiPropertyOptional({
    description:
      'First moment of the report: RFC 3339, Unix milliseconds, `now`, or relative to now as in `-6h`; default: 24 hours ' +
      'before `end_time`.',
    example: '-6h',
  })
  @Optional()
  @Obeys(queryTimeRule)
  start_time?: string;

  @ApiPropertyOptional({
    description: 'End of the report, itself not included; default: after the newest sample.',
    example: 'now',
  })
  @Optional()
  @Obeys(queryTimeRule)
  end_time?: string;

  @ApiPropertyOptional({
    description:
      'Aggregate by steps: `30s`, `5m`, `1h`, `1d` (days of `timezone`), or `auto` for about 500 points; the range is ' +
      'widened to whole steps. Samples that are past `RETENTION_RAW` still count by the hour, but for percentiles, `rate` ' +
      'and `increase`. Left out: the raw samples.',
    example: '5m',
  })
  @Optional()
  @Obeys(step)
  step?: string;

  @ApiPropertyOptional({
    description:
      '`mean` (default), `min`, `max`, `sum`, `count`, `first`, `last`, `p0` to `p100`, `rate`, `increase`; several are ' +
      'repeated or separated by commas. `rate` and `increase` understand that a counter starts again at 0.',
    type: [String],
    example: ['mean', 'max'],
  })
  @Optional()
  @CommaSeparated()
  @Obeys(aggregations)
  aggregation?: string[];

  @ApiPropertyOptional({
    description: 'What a step without samples becomes: no row, null, or the number of the step before.',
    enum: ['none', 'null', 'previous'],
    default: 'none',
  })
  @Optional()
  @Obeys(oneOf('none', 'null', 'previous'))
  fill?: 'none' | 'null' | 'previous';

  @ApiPropertyOptional({ description: 'IANA name; steps of whole days are its days.', default: 'UTC' })
  @Optional()
  @Obeys(timeZone)
  timezone?: string;

  @ApiPropertyOptional({
    description: `Rows of one page, 1 to ${MAX_LIMIT}; default: all, streamed.`,
    example: '10000',
  })
  @Optional()
  @Obeys(limit)
  limit?: string;

  @ApiPropertyOptional({ description: '`next_cursor` of the page before, whose other parameters stay the same.' })
  @Optional()
  @Obeys(cursor)
  cursor?: string;

  @ApiPropertyOptional({ description: 'Goes before the header Accept.', enum: FORMATS, default: 'json' })
  @Optional()
  @Obeys(oneOf(...FORMATS))
  format?: Format;
}

const grouping: Rule = (value) =>
  Array.isArray(value) && value.every((word) => typeof word === 'string') && parseGrouping(value)
    ? undefined
    : `must be of device, metric, label and label:<name>, got ${quote(Array.isArray(value) ? value.join(',') : value)}`;

const sort: Rule = (value) =>
  typeof value === 'string' && SORT_KEYS.some((key) => value === key || value === `-${key}`)
    ? undefined
    : `must be one of ${SORT_KEYS.join(', ')}, with - before it for the largest first, got ${quote(value)}`;

const offset: Rule = (value) =>
  typeof value === 'string' && /^\d{1,9}$/.test(value)
    ? undefined
    : `must be the next_cursor of a page, got ${quote(value)}`;

export class SummaryQuery extends SeriesQuery {
  @ApiPropertyOptional({ description: 'Hours back from now; default 24.', example: '24' })
  @Optional()
  @Obeys(timeRangeRule)
  time_range?: string;

  @ApiPropertyOptional({ description: 'In place of `time_range`: as in the device report.', example: '-6h' })
  @Optional()
  @Obeys(queryTimeRule)
  start_time?: string;

  @ApiPropertyOptional({ description: 'In place of `time_range`: as in the device report.', example: 'now' })
  @Optional()
  @Obeys(queryTimeRule)
  end_time?: string;

  @ApiPropertyOptional({
    description:
      'What tells rows apart besides the metric: `device` (default), `metric` (nothing else), `label` (each set of labels), ' +
      '`label:<name>`; several are repeated or separated by commas.',
    type: [String],
    example: ['device', 'label:cpu'],
  })
  @Optional()
  @CommaSeparated()
  @Obeys(grouping)
  group_by?: string[];

  @ApiPropertyOptional({
    description: `One of ${SORT_KEYS.join(', ')}; with \`-\` the largest first.`,
    example: '-max',
  })
  @Optional()
  @Obeys(sort)
  sort?: string;

  @ApiPropertyOptional({ description: `Rows of one page, 1 to ${MAX_LIMIT}; default: all.`, example: '100' })
  @Optional()
  @Obeys(limit)
  limit?: string;

  @ApiPropertyOptional({ description: '`next_cursor` of the page before, whose other parameters stay the same.' })
  @Optional()
  @Obeys(offset)
  cursor?: string;

  @ApiPropertyOptional({ description: 'Goes before the header Accept.', enum: FORMATS, default: 'json' })
  @Optional()
  @Obeys(oneOf(...FORMATS))
  format?: Format;
}

const metricName: Rule = (value) =>
  typeof value === 'string' && metricNameRule(value) === undefined
    ? undefined
    : `must be the name of one metric, got ${quote(value)}`;

const count: Rule = (value) =>
  typeof value === 'string' && /^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_COMPARED
    ? undefined
    : `must be an integer from 1 to ${MAX_COMPARED}, got ${quote(value)}`;

const MAX_COMPARED = 1000;

const oneAggregation: Rule = (value) => aggregations([value]);

export class CompareQuery extends IntersectionType(
  PickType(SeriesQuery, ['device_name', 'label'] as const),
  PickType(DeviceReportQuery, ['start_time', 'end_time', 'step', 'timezone'] as const),
) {
  @ApiProperty({ example: 'system.cpu.utilization' })
  @Obeys(metricName)
  metric_name!: string;

  @ApiPropertyOptional({ description: 'As in the device report, but one; default `mean`.', example: 'max' })
  @Optional()
  @Obeys(oneAggregation)
  aggregation?: string;

  @ApiPropertyOptional({
    description: `How many series of the largest mean, 1 to ${MAX_COMPARED}.`,
    default: '10',
    example: '5',
  })
  @Optional()
  @Obeys(count)
  top?: string;

  @ApiPropertyOptional({ description: 'In place of `top`: how many series of the smallest mean.' })
  @Optional()
  @Obeys(count)
  bottom?: string;
}
