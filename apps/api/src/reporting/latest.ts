import { toRfc3339 } from '@device-metrics/contract';
import type { SeriesLatest } from '@device-metrics/storage';
import { ApiProperty } from '@nestjs/swagger';
import { seriesHead, SeriesHeadDto } from './device-report.dto.js';

/** The newest sample of one series; also a valid item of a batch. */
export class LatestSampleDto extends SeriesHeadDto {
  @ApiProperty({ example: 0.42 })
  value!: number;

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  timestamp!: string;
}

export class LatestDto {
  @ApiProperty({ description: 'By device, metric and labels.', type: [LatestSampleDto] })
  samples!: LatestSampleDto[];
}

export const latestReport = (latest: readonly SeriesLatest[]): LatestDto => ({
  samples: latest.map(({ series, value, timestamp }) => ({
    ...seriesHead(series),
    value,
    timestamp: toRfc3339(timestamp),
  })),
});
