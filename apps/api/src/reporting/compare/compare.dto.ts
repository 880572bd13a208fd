import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';

export class ComparedSeriesDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ ...TEXTS, example: { 'cpu.logical_number': '0' } })
  labels!: Record<string, string>;

  @ApiProperty({
    description:
      'What was asked for by `aggregation`, over the range as a whole: the series are ranked by it. Null where there is no such ' +
      'number, as of a counter with one sample.',
    type: Number,
    nullable: true,
    example: 0.42,
  })
  value!: number | null;

  @ApiProperty({
    description:
      'The mean of the samples over the range; null of counters, whose mean says nothing, and where the sum is beyond what a ' +
      'double holds.',
    type: Number,
    nullable: true,
    example: 0.42,
  })
  mean!: number | null;

  @ApiPropertyOptional({
    description: 'With `offset`: the same as `value` in the period before; null where there was none.',
    type: Number,
    nullable: true,
    example: 0.4,
  })
  before?: number | null;

  @ApiPropertyOptional({ description: '`value` less `before`.', type: Number, nullable: true, example: 0.02 })
  difference?: number | null;

  @ApiPropertyOptional({
    description: 'The difference in per cent of `before`.',
    type: Number,
    nullable: true,
    example: 5,
  })
  percent?: number | null;

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

  @ApiProperty({ description: 'What the numbers are.', example: 'mean' })
  aggregation!: string;

  @ApiPropertyOptional({
    description: 'Of the samples, UCUM; left out while nobody has said. Series in other units are converted.',
    example: '1',
  })
  unit?: string;

  @ApiProperty({ description: 'Included.', example: '2026-01-15T00:00:00.000Z' })
  start_time!: string;

  @ApiProperty({ description: 'Not included.', example: '2026-01-16T00:00:00.000Z' })
  end_time!: string;

  @ApiPropertyOptional({
    description: 'With `offset`: the period before. Included.',
    example: '2026-01-08T00:00:00.000Z',
  })
  before_start_time?: string;

  @ApiPropertyOptional({ description: 'Not included.', example: '2026-01-09T00:00:00.000Z' })
  before_end_time?: string;

  @ApiPropertyOptional({ description: 'As in the device report.', example: true })
  edges_moved?: boolean;

  @ApiProperty({ description: 'Length of a step, milliseconds.', example: 300_000 })
  step!: number;

  @ApiProperty({
    description: 'The time axis of all series: the starts of the steps.',
    type: [String],
    example: ['2026-01-15T00:00:00.000Z', '2026-01-15T00:05:00.000Z', '2026-01-15T00:10:00.000Z'],
  })
  timestamps!: string[];

  @ApiProperty({
    description: 'The largest `value` first, or what `rank_by` says; with `bottom` the smallest.',
    type: [ComparedSeriesDto],
  })
  series!: ComparedSeriesDto[];
}
