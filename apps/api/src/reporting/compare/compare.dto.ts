import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class ComparedSeriesDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ type: 'object', additionalProperties: { type: 'string' }, example: { 'cpu.logical_number': '0' } })
  labels!: Record<string, string>;

  @ApiProperty({
    description:
      'What the series are ranked by: the mean over the range; null where the sum is beyond what a double holds.',
    nullable: true,
    example: 0.42,
  })
  mean!: number;

  @ApiProperty({
    description: 'One number for each of `timestamps`, null where a step has no samples.',
    type: 'array',
    items: { type: 'number', nullable: true },
    example: [0.4, null, 0.44],
  })
  values!: (number | null)[];
}

export class CompareDto {
  @ApiProperty({ example: 'system.cpu.utilization' })
  metric_name!: string;

  @ApiPropertyOptional({ description: 'UCUM; left out while nobody has said.', example: '1' })
  unit?: string;

  @ApiProperty({ description: 'Included.', example: '2026-01-15T00:00:00.000Z' })
  start_time!: string;

  @ApiProperty({ description: 'Not included.', example: '2026-01-16T00:00:00.000Z' })
  end_time!: string;

  @ApiProperty({ description: 'Length of a step, milliseconds.', example: 300_000 })
  step!: number;

  @ApiProperty({
    description: 'The time axis of all series: the starts of the steps.',
    type: [String],
    example: ['2026-01-15T00:00:00.000Z', '2026-01-15T00:05:00.000Z', '2026-01-15T00:10:00.000Z'],
  })
  timestamps!: string[];

  @ApiProperty({ description: 'The largest mean first; with `bottom` the smallest.', type: [ComparedSeriesDto] })
  series!: ComparedSeriesDto[];
}
