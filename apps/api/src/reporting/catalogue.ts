import { metricDefinition, type Series } from '@device-metrics/domain';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class CatalogueMetricDto {
  @ApiProperty({ example: 'system.cpu.utilization' })
  metric_name!: string;

  @ApiPropertyOptional({ description: 'UCUM; left out while nobody has said.', example: '1' })
  unit?: string;

  @ApiPropertyOptional({
    description: 'Of metrics that this project knows.',
    enum: ['gauge', 'counter'],
    example: 'gauge',
  })
  kind?: string;

  @ApiPropertyOptional({ description: 'Of metrics that this project knows.', example: 'Share of time that …' })
  help?: string;

  @ApiProperty({ description: 'How many devices have it.', example: 12 })
  devices!: number;

  @ApiProperty({ description: 'How many series it has.', example: 96 })
  series!: number;
}

export class CatalogueDto {
  @ApiProperty({ description: 'By name.', type: [CatalogueMetricDto] })
  metrics!: CatalogueMetricDto[];
}

/** Every metric of which there are series. */
export function catalogue(series: readonly Series[]): CatalogueDto {
  const byName = new Map<string, Series[]>();
  for (const one of series) {
    const same = byName.get(one.metricName);
    if (same) same.push(one);
    else byName.set(one.metricName, [one]);
  }
  const metrics = [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, same]) => catalogueMetric(name, same));
  return { metrics };
}

function catalogueMetric(name: string, series: readonly Series[]): CatalogueMetricDto {
  const definition = metricDefinition(name);
  const unit = series.find((one) => one.unit !== null)?.unit;
  return {
    metric_name: name,
    ...(unit && { unit }),
    ...(definition && { kind: definition.kind, help: definition.help }),
    devices: new Set(series.map(({ deviceName }) => deviceName)).size,
    series: series.length,
  };
}
