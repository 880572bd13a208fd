import { Obeys, Optional } from '@device-metrics/contract';
import { ApiProperty, ApiPropertyOptional, IntersectionType, PickType } from '@device-metrics/contract/openapi';
import { FleetQuery } from '../../http/series-query.dto.js';
import { DeviceReportQuery } from '../device-report/device-report-query.dto.js';
import { count, MAX_COMPARED, metricName, offsetRule, oneAggregation, oneOf } from '../query-rules.js';

const RANKS = ['value', 'difference', 'percent'] as const;

export class CompareQuery extends IntersectionType(
  PickType(FleetQuery, ['device_name', 'label', 'tag'] as const),
  PickType(DeviceReportQuery, ['start_time', 'end_time', 'step', 'timezone', 'bom', 'format'] as const),
) {
  @ApiProperty({ example: 'system.cpu.utilization' })
  @Obeys(metricName)
  metric_name!: string;

  @ApiPropertyOptional({
    description:
      'As in the device report, but one; default `mean`, of counters `rate`. The series are ranked by it, over the range.',
    example: 'max',
  })
  @Optional()
  @Obeys(oneAggregation)
  aggregation?: string;

  @ApiPropertyOptional({
    description: `How many series of the largest number, 1 to ${MAX_COMPARED}.`,
    default: '10',
    example: '5',
  })
  @Optional()
  @Obeys(count)
  top?: string;

  @ApiPropertyOptional({ description: 'In place of `top`: how many series of the smallest number.', example: '5' })
  @Optional()
  @Obeys(count)
  bottom?: string;

  @ApiPropertyOptional({ description: 'Against the period before: as in the summary.', example: '7d' })
  @Optional()
  @Obeys(offsetRule)
  offset?: string;

  @ApiPropertyOptional({
    description: 'What the series are ranked by; `difference` and `percent` go with `offset`.',
    enum: RANKS,
    default: 'value',
  })
  @Optional()
  @Obeys(oneOf(...RANKS))
  rank_by?: (typeof RANKS)[number];
}
