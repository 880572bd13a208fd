import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';

/** What a report says of a series, apart from its samples. */
export class SeriesHeadDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ example: 'system.cpu.utilization' })
  metric_name!: string;

  @ApiPropertyOptional({ description: 'UCUM; left out while nobody has said.', example: '1' })
  unit?: string;

  @ApiProperty({ ...TEXTS, example: { 'cpu.logical_number': '0' } })
  labels!: Record<string, string>;
}
