import type { Labels } from '@device-metrics/domain';
import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';

export class AvailabilityRowDto {
  @ApiPropertyOptional({ description: 'Where `group_by` has `device`.', example: 'lab-pc-1' })
  device_name?: string;

  @ApiPropertyOptional({
    description: 'Where `group_by` has tags.',
    ...TEXTS,
    example: { room: 'lab' },
  })
  tags?: Labels;

  @ApiPropertyOptional({ description: 'Of the time zone; left out of `totals`.', example: '2026-01' })
  month?: string;

  @ApiProperty({ description: 'Of the time that was watched: that without silence.', example: 99.8213 })
  percent!: number;

  @ApiProperty({ description: 'Silences that reach into this time.', example: 2 })
  silences!: number;

  @ApiProperty({ description: 'Their length within this time, milliseconds.', example: 4_786_000 })
  silent!: number;

  @ApiProperty({
    description: 'Time from the first sample of the device up to now, milliseconds; of several devices added up.',
    example: 2_678_400_000,
  })
  watched!: number;

  @ApiProperty({ example: 1 })
  devices!: number;
}

export class SilenceDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ description: 'Of the last reading before it.', example: '2026-01-15T10:00:00.000Z' })
  start_time!: string;

  @ApiPropertyOptional({
    description: 'Of the first reading after it; left out while there is none.',
    example: '2026-01-15T10:42:00.000Z',
  })
  end_time?: string;

  @ApiProperty({ description: 'Milliseconds; of one that has not ended: up to now.', example: 2_520_000 })
  length!: number;
}

export class AvailabilityDto {
  @ApiProperty({ description: 'Included.', example: '2026-01-01T00:00:00.000Z' })
  start_time!: string;

  @ApiProperty({ description: 'Not included; now at the latest.', example: '2026-02-01T00:00:00.000Z' })
  end_time!: string;

  @ApiProperty({ description: 'Over the range as a whole, by device and tags.', type: [AvailabilityRowDto] })
  totals!: AvailabilityRowDto[];

  @ApiProperty({ description: 'The same of each month of the calendar.', type: [AvailabilityRowDto] })
  months!: AvailabilityRowDto[];

  @ApiProperty({
    description:
      'Times in which all series of a device were late, each by its own rhythm of then: it was silent for three times the pause that it makes now ' +
      'and then. By device and time.',
    type: [SilenceDto],
  })
  silences!: SilenceDto[];
}
