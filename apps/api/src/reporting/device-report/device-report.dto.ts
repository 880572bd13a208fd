import { ApiProperty, ApiPropertyOptional } from '@device-metrics/contract/openapi';
import { SeriesHeadDto } from '../series-head.dto.js';

/** The samples of one series; without steps also a valid item of a batch. */
export class SeriesReportDto extends SeriesHeadDto {
  @ApiProperty({
    description:
      'Rows, oldest first: the time (RFC 3339, UTC) and the value. With `step`: the start of the step and one number for ' +
      'each of `columns`, null where there is none, or none that a double holds.',
    type: 'array',
    items: {
      type: 'array',
      items: {
        oneOf: [
          { type: 'string', format: 'date-time' },
          { type: 'number', nullable: true },
        ],
      },
    },
    example: [
      ['2026-01-15T10:00:00.000Z', 0.42],
      ['2026-01-15T10:00:10.000Z', 0.4],
    ],
  })
  samples!: [string, ...(number | null)[]][];
}

export class DeviceReportDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ description: 'Included.', example: '2026-01-15T00:00:00.000Z' })
  start_time!: string;

  @ApiProperty({ description: 'Not included.', example: '2026-01-16T00:00:00.000Z' })
  end_time!: string;

  @ApiPropertyOptional({ description: 'Only with `step`: its length in milliseconds.', example: 300_000 })
  step?: number;

  @ApiPropertyOptional({
    description:
      'Before this time samples have passed `RETENTION_RAW` and only hourly values are left: without `step` a row is the mean ' +
      'of an hour, at its start. Left out where all samples are there. Header `Hourly-Until` has it in every format.',
    example: '2026-01-15T04:00:00.000Z',
  })
  hourly_until?: string;

  @ApiPropertyOptional({
    description:
      'Only where it is so: a step begins within an hour of which only the hourly value is left, as a day does in a zone of half ' +
      'hours. As a whole that hour counts in the step that it begins in: the edges of steps have moved by up to an hour. Header ' +
      '`Edges-Moved` has it in every format.',
    example: true,
  })
  edges_moved?: boolean;

  @ApiProperty({ description: 'What the numbers of a row are, after the time.', example: ['value'] })
  columns!: string[];

  @ApiPropertyOptional({
    description: 'Only with `limit`, where there is more: `cursor` of the next page. Header `Link` has its address.',
    example: 'MTcuMTc2ODQ3MTIwMDAwMA',
  })
  next_cursor?: string;

  @ApiProperty({
    description: 'By metric and labels; a series without samples in the range is left out.',
    type: [SeriesReportDto],
  })
  series!: SeriesReportDto[];
}
