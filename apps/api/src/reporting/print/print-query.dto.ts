import { deviceNameRule, Obeys, Optional } from '@device-metrics/contract';
import { ApiProperty, ApiPropertyOptional, PickType } from '@device-metrics/contract/openapi';
import { timeZone } from '../query-rules.js';
import { SummaryQuery } from '../summary/summary-query.dto.js';

export class PrintQuery extends PickType(SummaryQuery, [
  'time_range',
  'start_time',
  'end_time',
  'metric_name',
] as const) {
  @ApiProperty({ description: 'The name of one device.', example: 'lab-pc-1' })
  @Obeys(deviceNameRule)
  device!: string;

  @ApiPropertyOptional({
    description: 'IANA name; all times on the page are in it.',
    default: 'UTC',
    example: 'Europe/Berlin',
  })
  @Optional()
  @Obeys(timeZone)
  timezone?: string;
}
