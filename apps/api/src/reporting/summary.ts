import { toRfc3339 } from '@device-metrics/contract';
import { mergeSummaries, type Summary, type TimeRange } from '@device-metrics/domain';
import type { SeriesSummary } from '@device-metrics/storage';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class MetricSummaryDto {
  @ApiProperty({ example: 'system.cpu.utilization' })
  metric_name!: string;

  @ApiPropertyOptional({ description: 'UCUM; left out while nobody has said.', example: '1' })
  unit?: string;

  @ApiProperty({ description: 'How many series (sets of labels) the metric has in the range.', example: 4 })
  series!: number;

  @ApiProperty({ description: 'Samples.', example: 34_560 })
  count!: number;

  @ApiProperty({ example: 0.01 })
  min!: number;

  @ApiProperty({ example: 0.97 })
  max!: number;

  @ApiProperty({ example: 0.12 })
  mean!: number;

  @ApiProperty({ description: 'Value of the newest sample.', example: 0.42 })
  last!: number;

  @ApiProperty({ description: 'Time of the newest sample.', example: '2026-01-15T10:00:00.000Z' })
  last_time!: string;
}

export class DeviceSummaryDto {
  @ApiProperty({ example: 'lab-pc-1' })
  device_name!: string;

  @ApiProperty({ description: 'By name.', type: [MetricSummaryDto] })
  metrics!: MetricSummaryDto[];
}

export class SummaryDto {
  @ApiProperty({ description: 'Hours.', example: 24 })
  time_range!: number;

  @ApiProperty({ description: 'Included.', example: '2026-01-15T00:00:00.000Z' })
  start_time!: string;

  @ApiProperty({ description: 'Not included.', example: '2026-01-16T00:10:00.001Z' })
  end_time!: string;

  @ApiProperty({ description: 'By name; devices without samples in the range are left out.', type: [DeviceSummaryDto] })
  devices!: DeviceSummaryDto[];
}

/** @param summaries in order of device and metric, as the store gives them. */
export function summaryReport(range: TimeRange & { hours: number }, summaries: readonly SeriesSummary[]): SummaryDto {
  const devices: DeviceSummaryDto[] = [];
  let device: DeviceSummaryDto | undefined;
  for (const group of byMetric(summaries)) {
    if (device?.device_name !== group.deviceName) {
      device = { device_name: group.deviceName, metrics: [] };
      devices.push(device);
    }
    device.metrics.push(metricSummary(group));
  }
  return { time_range: range.hours, start_time: toRfc3339(range.start), end_time: toRfc3339(range.end), devices };
}

interface MetricGroup {
  readonly deviceName: string;
  readonly metricName: string;
  readonly unit: string | null;
  series: number;
  summary: Summary;
}

/** The series of one metric of one device taken together. */
function byMetric(summaries: readonly SeriesSummary[]): MetricGroup[] {
  const groups: MetricGroup[] = [];
  let group: MetricGroup | undefined;
  for (const { series, summary } of summaries) {
    const { deviceName, metricName, unit } = series;
    if (group?.deviceName === deviceName && group.metricName === metricName) {
      group.series += 1;
      group.summary = mergeSummaries(group.summary, summary);
    } else {
      group = { deviceName, metricName, unit, series: 1, summary };
      groups.push(group);
    }
  }
  return groups;
}

const metricSummary = ({ metricName, unit, series, summary }: MetricGroup): MetricSummaryDto => ({
  metric_name: metricName,
  ...(unit !== null && { unit }),
  series,
  count: summary.count,
  min: summary.min,
  max: summary.max,
  mean: summary.sum / summary.count,
  last: summary.last,
  last_time: toRfc3339(summary.lastTime),
});
