import { Obeys, Optional } from '@device-metrics/contract';
import { ApiProperty, ApiPropertyOptional, IntersectionType, PickType } from '@nestjs/swagger';
import { FleetQuery } from '../../http/series-query.dto.js';
import { DeviceReportQuery } from '../device-report/device-report-query.dto.js';
import { count, MAX_COMPARED, metricName, oneAggregation } from '../query-rules.js';

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
