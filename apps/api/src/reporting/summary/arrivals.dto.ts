import { ApiProperty, ApiPropertyOptional } from '@device-metrics/contract/openapi';

/** How many of the readings of a device that were to be expected have arrived. */
export class DeviceArrivalDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiPropertyOptional({
    description:
      'Usual time between two readings, milliseconds; left out while the device has no rhythm, as are the next.',
    example: 10_000,
  })
  interval?: number;

  @ApiPropertyOptional({
    description:
      'Readings in the range from the first sample of the device up to now, each stretch by its own rhythm: an interval that was changed loses none.',
    example: 8640,
  })
  expected?: number;

  @ApiProperty({ description: 'Readings in the range: samples of its most frequent series.', example: 8613 })
  arrived!: number;

  @ApiPropertyOptional({ description: '`arrived` of `expected`, at most 1.', example: 0.9969 })
  share?: number;
}
