import { ApiProperty } from '@device-metrics/contract/openapi';

/** Which program this is, and what it was told to keep. */
export class StatusDto {
  @ApiProperty({ description: 'Of this api.', example: '0.1.0' })
  version!: string;

  @ApiProperty({ description: 'When its process started.', example: '2026-01-15T08:00:00.000Z' })
  started_at!: string;

  @ApiProperty({ description: '`RETENTION_RAW`, milliseconds; 0: for ever.', example: 7_776_000_000 })
  retention_raw!: number;

  @ApiProperty({ description: '`RETENTION_HOURLY`, milliseconds; 0: for ever.', example: 157_680_000_000 })
  retention_hourly!: number;
}
