import { metricNameRule, Obeys } from '@device-metrics/contract';
import { ApiProperty, PickType } from '@device-metrics/contract/openapi';
import { FleetQuery } from '../http/series-query.dto.js';

/** One series of a device, by its metric and all its labels. */
export class OneSeriesQuery extends PickType(FleetQuery, ['label'] as const) {
  @ApiProperty({ description: 'The metric of the series; `label` names all its labels.', example: 'hw.temperature' })
  @Obeys(metricNameRule)
  metric_name!: string;
}
