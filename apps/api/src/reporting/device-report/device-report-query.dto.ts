import { Obeys, Optional } from '@device-metrics/contract';
import { ApiPropertyOptional, IntersectionType, PickType } from '@device-metrics/contract/openapi';
import { SeriesQuery } from '../../http/series-query.dto.js';
import { AnswerQuery } from '../answer/answer-query.dto.js';
import {
  aggregations,
  CommaSeparated,
  limit,
  MAX_AGGREGATIONS,
  MAX_LIMIT,
  oneOf,
  step,
  timeZone,
} from '../query-rules.js';
import { queryTimeRule } from '../time-span.js';
import { cursorRule } from './page.js';

export class DeviceReportQuery extends IntersectionType(
  PickType(SeriesQuery, ['metric_name', 'label'] as const),
  AnswerQuery,
) {
  @ApiPropertyOptional({
    description:
      'First moment of the report: RFC 3339, a date such as `2026-01-15` (midnight in `timezone`), Unix milliseconds, `now`, ' +
      'or relative to now such as `-6h`; default: 24 hours before `end_time`, or before now.',
    example: '-6h',
  })
  @Optional()
  @Obeys(queryTimeRule)
  start_time?: string;

  @ApiPropertyOptional({
    description:
      'End of the report, itself not included; default: 10 minutes from now, since clocks of devices may be ahead by that.',
    example: 'now',
  })
  @Optional()
  @Obeys(queryTimeRule)
  end_time?: string;

  @ApiPropertyOptional({
    description:
      'Aggregate by steps: `30s`, `5m`, `1h`, `12h`, `1d`; `1w` (from Monday), `1mo`, `1y` (from the first); up to `100y`, or `auto` for ' +
      'about 500 points. They follow the clock and the calendar of `timezone`; the range is widened to whole steps. Samples that are past `RETENTION_RAW` still count by the hour, but for percentiles. Left ' +
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
      '`rate` and `increase` understand that a counter starts again at 0, and count from the last sample before a step, up to 400 ' +
      'days before the range: what days grew adds up to what their month grew.',
    type: [String],
    example: ['mean', 'max'],
  })
  @Optional()
  @CommaSeparated()
  @Obeys(aggregations)
  aggregation?: string[];

  @ApiPropertyOptional({
    description:
      'What a step without samples becomes: no row, null, or the number of the step before. With `previous`, `count` and `sum` are ' +
      '0, `increase` and `rate` null, and `last` begins with the last sample before the range.',
    enum: ['none', 'null', 'previous'],
    default: 'none',
  })
  @Optional()
  @Obeys(oneOf('none', 'null', 'previous'))
  fill?: 'none' | 'null' | 'previous';

  @ApiPropertyOptional({
    description:
      'IANA name. Steps are of its calendar and its clock, plain dates begin at its midnight, and times in csv and xlsx are ' +
      'its own, with their offset from UTC.',
    default: 'UTC',
    example: 'Europe/Berlin',
  })
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
  @Obeys(cursorRule)
  cursor?: string;
}
