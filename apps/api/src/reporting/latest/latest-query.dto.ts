import { Obeys, Optional, quote, type Rule } from '@device-metrics/contract';
import { parseDuration } from '@device-metrics/domain';
import { ApiPropertyOptional } from '@device-metrics/contract/openapi';
import { FleetQuery } from '../../http/series-query.dto.js';

const age: Rule = (value) =>
  typeof value === 'string' && parseDuration(value) !== undefined
    ? undefined
    : `must be a duration such as 5m, 1h or 7d, got ${quote(value)}`;

export class LatestQuery extends FleetQuery {
  @ApiPropertyOptional({
    description:
      'Leaves out samples that are older, such as those of devices that are gone, and series that have ended; default: none is ' +
      'too old.',
    example: '1h',
  })
  @Optional()
  @Obeys(age)
  max_age?: string;
}
