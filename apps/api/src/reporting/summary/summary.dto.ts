import type { Labels } from '@device-metrics/domain';
import type { NumberKind } from '@device-metrics/query';
import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';
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
    ...TEXTS,
    example: { 'cpu.logical_number': '0' },
  })
  labels?: Labels | undefined;

  @ApiPropertyOptional({
    description: 'Where `group_by` has tags.',
    ...TEXTS,
    example: { room: 'lab' },
  })
  tags?: Labels | undefined;

  @ApiProperty({ description: 'How many series the group has.', example: 4 })
  series!: number;

  @ApiProperty({ description: 'Samples.', example: 34_560 })
  count!: number;

  @ApiProperty({
    description: 'Null where there is no number, as of a counter with one sample.',
    nullable: true,
    type: Number,
    example: 0.01,
  })
  min!: number | null;

  @ApiProperty({ nullable: true, type: Number, example: 0.97 })
  max!: number | null;

  @ApiProperty({
    description: 'Null also where the sum is beyond what a double holds.',
    nullable: true,
    type: Number,
    example: 0.12,
  })
  mean!: number | null;

  @ApiProperty({ description: 'The newest of the numbers.', nullable: true, type: Number, example: 0.42 })
  last!: number | null;

  @ApiProperty({ description: 'Time of the newest sample.', example: '2026-01-15T10:00:00.000Z' })
  last_time!: string;

  @ApiProperty({
    description:
      'What min, max, mean and last are of, by the metric catalogue. `value`: the samples. `rate`: what a counter grew per second, ' +
      'by steps of `rate_step`; the mean is over the whole range. `share`: of the states that the catalogue names in all of them, such as used ' +
      'memory, at each reading. `sum`: of the states. `state`: no number, see `state`.',
    enum: ['value', 'rate', 'share', 'sum', 'state'],
    example: 'value',
  })
  as!: NumberKind;

  @ApiPropertyOptional({
    description: 'Of counters: how much they grew in the range, from the last sample before it on.',
    type: Number,
    example: 1_234,
  })
  increase?: number | undefined;

  @ApiPropertyOptional({
    description: 'Of metrics that are 1 for one state and 0 for the others: that state.',
    type: String,
    example: 'active',
  })
  state?: string | undefined;

  @ApiPropertyOptional({
    description: 'With `offset`: the mean in the period before; null where it had none.',
    type: Number,
    nullable: true,
    example: 0.1,
  })
  before?: number | null;

  @ApiPropertyOptional({ description: '`mean` less `before`.', type: Number, nullable: true, example: 0.02 })
  difference?: number | null;

  @ApiPropertyOptional({
    description: 'The difference in per cent of `before`.',
    type: Number,
    nullable: true,
    example: 20,
  })
  percent?: number | null;

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
    description: 'With `offset`: the period before. Included.',
    example: '2026-01-08T00:00:00.000Z',
  })
  before_start_time?: string;

  @ApiPropertyOptional({ description: 'Not included.', example: '2026-01-09T00:10:00.001Z' })
  before_end_time?: string;

  @ApiPropertyOptional({
    description: 'Where there are counters: the steps by which rates are seen, milliseconds.',
    example: 900_000,
  })
  rate_step?: number;

  @ApiPropertyOptional({
    description:
      'Only where it is so: there are too many samples to read, and rates and shares are made of hourly values. A counter that ' +
      'started again more than once in an hour has grown by at least what is said.',
    example: true,
  })
  of_hourly_values?: boolean;

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
      'Only in json: the devices that the query selects, whatever its range, by name; with `limit` those of the rows of the page.',
    type: [DeviceArrivalDto],
  })
  devices?: readonly DeviceArrivalDto[];
}
