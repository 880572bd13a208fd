import type { Labels } from '@device-metrics/domain';
import { ApiProperty, ApiPropertyOptional, TEXTS } from '@device-metrics/contract/openapi';
import { ETAG } from '../http/entity-tag.js';
import { STATUSES, type DeviceStatus } from './rhythm.js';

export class DeviceDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiPropertyOptional({ description: 'What people call it.', example: 'Microscope PC' })
  display_name?: string;

  @ApiPropertyOptional({ example: 'New fan on 2026-01-10.' })
  notes?: string;

  @ApiPropertyOptional({
    description: 'Names that it had before; samples for them still go to it.',
    type: [String],
    example: ['old-pc'],
  })
  former_names?: readonly string[];

  @ApiProperty({
    description: 'To find and group devices by.',
    ...TEXTS,
    example: { room: 'lab', owner: 'optics' },
  })
  tags!: Labels;

  @ApiProperty({
    description:
      'By its own rhythm: `late` once it has been silent for three times, `offline` for ten times the pause that it makes ' +
      'now and then. That is the 90th percentile of those between its last 64 readings, at least 5 s. It is a minute while there are fewer than 4 ' +
      'readings, or these are of less than 15 s: a handful that was sent at once is no rhythm.',
    enum: STATUSES,
    example: 'online',
  })
  status!: DeviceStatus;

  @ApiPropertyOptional({
    description: 'Time of its oldest sample that is kept.',
    example: '2024-03-01T08:15:00.000Z',
  })
  first_seen?: string;

  @ApiProperty({ description: 'Time of its newest sample.', example: '2026-01-15T10:00:00.000Z' })
  last_seen!: string;

  @ApiPropertyOptional({
    description: 'Usual time between two readings, milliseconds; left out while it has no rhythm.',
    example: 10_000,
  })
  interval?: number;

  @ApiPropertyOptional({ ...ETAG, description: `Of what people say of it; left out in lists. ${ETAG.description}` })
  etag?: string;

  @ApiProperty({
    description: 'When it becomes, or became, late without a reading.',
    example: '2026-01-15T10:00:30.000Z',
  })
  late_at!: string;

  @ApiProperty({
    description: 'When it goes, or went, offline without a reading.',
    example: '2026-01-15T10:01:40.000Z',
  })
  offline_at!: string;

  @ApiProperty({ description: 'How many series it has.', example: 52 })
  series!: number;
}

export class DevicesDto {
  @ApiProperty({ description: 'By name.', type: [DeviceDto] })
  devices!: DeviceDto[];
}
