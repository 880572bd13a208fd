import { Obeys, Optional, quote, type Rule } from '@device-metrics/contract';
import { ApiPropertyOptional, IntersectionType, PickType } from '@device-metrics/contract/openapi';
import { FleetQuery } from '../../http/series-query.dto.js';
import { CommaSeparated, oneOf } from '../query-rules.js';
import { SummaryQuery } from '../summary/summary-query.dto.js';

const ROWS = ['months', 'totals', 'silences'] as const;

const groups: Rule = (value) =>
  Array.isArray(value) && value.every((word) => typeof word === 'string' && /^(device|tag|tag:.+)$/.test(word))
    ? undefined
    : `must be of device, tag and tag:<name>, got ${quote(Array.isArray(value) ? value.join(',') : value)}`;

export class AvailabilityQuery extends IntersectionType(
  PickType(FleetQuery, ['device_name', 'tag'] as const),
  PickType(SummaryQuery, ['time_range', 'start_time', 'end_time', 'timezone', 'bom', 'format'] as const),
) {
  @ApiPropertyOptional({
    description: 'What tells rows apart: `device` (default), `tag` (each set of tags), `tag:<name>`.',
    type: [String],
    example: ['tag:room'],
  })
  @Optional()
  @CommaSeparated()
  @Obeys(groups)
  group_by?: string[];

  @ApiPropertyOptional({
    description: 'Which rows csv, ndjson and xlsx have; json has them all.',
    enum: ROWS,
    default: 'months',
  })
  @Optional()
  @Obeys(oneOf(...ROWS))
  rows?: (typeof ROWS)[number];
}
