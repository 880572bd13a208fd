import { Obeys, Optional, quote, type Rule } from '@device-metrics/contract';
import { ApiPropertyOptional, PickType } from '@nestjs/swagger';
import { FleetQuery, Repeatable } from '../http/series-query.dto.js';
import { STATUSES, type DeviceStatus } from './rhythm.js';

const statuses: Rule = (value) => {
  const given: unknown[] = Array.isArray(value) ? value : [value];
  const wrong = given.find((status) => !STATUSES.some((known) => known === status));
  return wrong === undefined ? undefined : `must be one of ${STATUSES.join(', ')}, got ${quote(wrong)}`;
};

/** Which devices are listed. */
export class DevicesQuery extends PickType(FleetQuery, ['device_name', 'tag'] as const) {
  @ApiPropertyOptional({ description: 'Repeatable.', enum: STATUSES, isArray: true, example: ['late', 'offline'] })
  @Optional()
  @Repeatable()
  @Obeys(statuses)
  status?: DeviceStatus[];
}
