import { ApiProperty, ApiPropertyOptional, IntersectionType, PickType } from '@nestjs/swagger';
import { Obeys } from '@device-metrics/contract';
import { FleetQuery, Optional, SeriesQuery } from '../http/series-query.js';
import {
  FORMATS,
  MAX_LIMIT,
  MAX_AGGREGATIONS,
  MAX_COMPARED,
  oneOf,
  step,
  aggregations,
  timeZone,
  limit,
  cursor,
  CommaSeparated,
  grouping,
  sort,
  offset,
  metricName,
  quantiles,
  count,
  oneAggregation,
  type Format,
} from './query-rules.js';
import { SORT_KEYS } from './summary.js';
import { queryTimeRule, timeRangeRule } from './time-span.js';

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
      'Aggregate by steps: `30s`, `5m`, `1h`, `1d` (days of `timezone`), up to `100y`, or `auto` for about 500 points; the range is ' +
      'widened to whole steps. Samples that are past `RETENTION_RAW` still count by the hour, but for percentiles. Left ' +
      'out: the raw samples.',
    example: '5m',
  })
  @Optional()
  @Obeys(step)
  step?: string;

  @ApiPropertyOptional({
    description:
      '`mean` (default), `min`, `max`, `sum`, `count`, `first`, `last`, `p0` to `p100`, `rate`, `increase`; several, at ' +
      `most ${MAX_AGGREGATIONS}, are repeated or separated by commas. ` +
      '`rate` and `increase` understand that a counter starts again at 0, and count from ' +
      'the last sample before a step, if it is within an hour before the range.',
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

export class SummaryQuery extends FleetQuery {
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
      '`label:<name>`, `tag` (each set of tags of devices), `tag:<name>`; several are repeated or separated by commas.',
    type: [String],
    example: ['device', 'label:cpu'],
  })
  @Optional()
  @CommaSeparated()
  @Obeys(grouping)
  group_by?: string[];

  @ApiPropertyOptional({
    description:
      'Quantiles of the samples of each row, `p0` to `p100`; several, at most ' +
      `${MAX_AGGREGATIONS}, are repeated or separated by commas. They read every sample.`,
    type: [String],
    example: ['p50', 'p95'],
  })
  @Optional()
  @CommaSeparated()
  @Obeys(quantiles)
  quantile?: string[];

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

export class CompareQuery extends IntersectionType(
  PickType(FleetQuery, ['device_name', 'label', 'tag'] as const),
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

  @ApiPropertyOptional({ description: 'In place of `top`: how many series of the smallest mean.', example: '5' })
  @Optional()
  @Obeys(count)
  bottom?: string;
}
