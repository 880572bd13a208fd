import { ApiProperty, ApiPropertyOptional } from '@device-metrics/contract/openapi';
import { SeriesHeadDto } from '../series-head.dto.js';

/** The newest sample of one series; also a valid item of a batch. */
export class LatestSampleDto extends SeriesHeadDto {
  @ApiProperty({ example: 0.42 })
  value!: number;

  @ApiProperty({ example: '2026-01-15T10:00:00.000Z' })
  timestamp!: string;

  @ApiPropertyOptional({
    description:
      'When its sender said that it has no value any more, as Prometheus does of a target that is gone: the value was the last one.',
    example: '2026-01-15T10:00:30.000Z',
  })
  ended_at?: string;
}

export class LatestDto {
  @ApiProperty({ description: 'By device, metric and labels.', type: [LatestSampleDto] })
  samples!: LatestSampleDto[];
}
