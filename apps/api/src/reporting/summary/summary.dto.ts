import type { Labels } from '@device-metrics/domain';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { DeviceArrivalDto } from './arrivals.dto.js';

/** The samples of one group of series, taken together. */
export class SummaryRowDto {
  @ApiPropertyOptional({ description: 'Where `group_by` has `device`.', type: String, example: 'lab-pc-1' })
  device_name?: string | undefined;

  @ApiProperty({ example: 'system.cpu.utilization' })
  metric_name!: string;

  @ApiPropertyOptional({ description: 'UCUM; left out while nobody has said.', type: String, example: '1' })
  unit?: string | undefined;

  @ApiPropertyOptional({
    description: 'Where `group_by` has labels.',
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { 'cpu.logical_number': '0' },
  })
  labels?: Labels | undefined;

  @ApiPropertyOptional({
    description: 'Where `group_by` has tags.',
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { room: 'lab' },
  })
  tags?: Labels | undefined;

  @ApiProperty({ description: 'How many series the group has.', example: 4 })
  series!: number;

  @ApiProperty({ description: 'Samples.', example: 34_560 })
  count!: number;

  @ApiProperty({ example: 0.01 })
  min!: number;

  @ApiProperty({ example: 0.97 })
  max!: number;

  @ApiProperty({ description: 'Null where the sum is beyond what a double holds.', nullable: true, example: 0.12 })
  mean!: number;

  @ApiProperty({ description: 'Value of the newest sample.', example: 0.42 })
  last!: number;

  @ApiProperty({ description: 'Time of the newest sample.', example: '2026-01-15T10:00:00.000Z' })
  last_time!: string;

  @ApiPropertyOptional({
    description: 'Those that `quantile` asks for; null where some of the samples are kept as hourly values only.',
    type: 'object',
    additionalProperties: { type: 'number', nullable: true },
    example: { p50: 0.1, p95: 0.71 },
  })
  quantiles?: Readonly<Record<string, number | null>>;
}

export class SummaryDto {
  @ApiProperty({ description: 'Included.', example: '2026-01-15T00:00:00.000Z' })
  start_time!: string;

  @ApiProperty({ description: 'Not included.', example: '2026-01-16T00:10:00.001Z' })
  end_time!: string;

  @ApiPropertyOptional({
    description: 'Only with `limit`, where there is more: `cursor` of the next page. Header `Link` has its address.',
    example: '100',
  })
  next_cursor?: string;

  @ApiProperty({
    description: 'By device, metric and labels, or as `sort` says; groups without samples in the range are left out.',
    type: [SummaryRowDto],
  })
  summaries!: SummaryRowDto[];

  @ApiPropertyOptional({
    description:
      'Only in json, and on the first page: the devices that the query selects, whatever its range, by name.',
    type: [DeviceArrivalDto],
  })
  devices?: readonly DeviceArrivalDto[];
}
