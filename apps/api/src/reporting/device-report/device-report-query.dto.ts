import { Obeys, Optional } from '@device-metrics/contract';
import { ApiPropertyOptional, PickType } from '@nestjs/swagger';
import { SeriesQuery } from '../../http/series-query.dto.js';
import { FORMATS, type Format } from '../answer/format.js';
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
  @Obeys(cursorRule)
  cursor?: string;

  @ApiPropertyOptional({ description: 'Goes before the header Accept.', enum: FORMATS, default: 'json' })
  @Optional()
  @Obeys(oneOf(...FORMATS))
  format?: Format;
}
