import { Obeys, Optional } from '@device-metrics/contract';
import { ApiPropertyOptional, IntersectionType } from '@device-metrics/contract/openapi';
import { FleetQuery } from '../../http/series-query.dto.js';
import { AnswerQuery } from '../answer/answer-query.dto.js';
import { CommaSeparated, limit, MAX_AGGREGATIONS, MAX_LIMIT, offsetRule, quantiles, timeZone } from '../query-rules.js';
import { queryTimeRule, timeRangeRule } from '../time-span.js';
import { groupingRule } from './grouping.js';
import { placeRule, SORT_KEYS, sortRule } from './order.js';

export class SummaryQuery extends IntersectionType(FleetQuery, AnswerQuery) {
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
      'What tells rows apart besides the metric and its unit: `device`, `metric` (nothing else), `label` (each set of labels), ' +
      '`label:<name>`, `tag` (each set of tags of devices), `tag:<name>`; several are repeated or separated by commas. ' +
      'Default: `device,label`, a row for each series.',
    type: [String],
    example: ['device', 'label:cpu.logical_number'],
  })
  @Optional()
  @CommaSeparated()
  @Obeys(groupingRule)
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
  @Obeys(sortRule)
  sort?: string;

  @ApiPropertyOptional({ description: `Rows of one page, 1 to ${MAX_LIMIT}; default: all.`, example: '100' })
  @Optional()
  @Obeys(limit)
  limit?: string;

  @ApiPropertyOptional({ description: '`next_cursor` of the page before, whose other parameters stay the same.' })
  @Optional()
  @Obeys(placeRule)
  cursor?: string;

  @ApiPropertyOptional({
    description:
      'IANA name. Plain dates begin at its midnight, and times in csv and xlsx are ' +
      'its own, with their offset from UTC.',
    default: 'UTC',
    example: 'Europe/Berlin',
  })
  @Optional()
  @Obeys(timeZone)
  timezone?: string;

  @ApiPropertyOptional({
    description:
      'Against the period before: the same range so much earlier, such as `7d`, `1w`, `1mo`, `1y`; days and longer by the calendar of ' +
      '`timezone`. Rows get `before`, `difference` and `percent`.',
    example: '7d',
  })
  @Optional()
  @Obeys(offsetRule)
  offset?: string;
}
