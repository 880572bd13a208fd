import { ApiProperty, ApiPropertyOptional } from '@device-metrics/contract/openapi';

export class ListedMetricDto {
  @ApiProperty({ example: 'system.cpu.utilization' })
  metric_name!: string;

  @ApiPropertyOptional({ description: 'UCUM; left out while nobody has said.', example: '1' })
  unit?: string;

  @ApiPropertyOptional({
    description: 'Of metrics that this project knows, or whose sender says so.',
    enum: ['gauge', 'counter', 'updowncounter'],
    example: 'gauge',
  })
  kind?: string;

  @ApiPropertyOptional({
    description: 'Of metrics that this project knows, or whose sender says so.',
    example: 'Share of time that …',
  })
  help?: string;

  @ApiProperty({ description: 'How many devices have it.', example: 12 })
  devices!: number;

  @ApiProperty({ description: 'How many series it has.', example: 96 })
  series!: number;
}

export class MetricListDto {
  @ApiProperty({ description: 'By name.', type: [ListedMetricDto] })
  metrics!: ListedMetricDto[];
}
