import { Obeys, Optional } from '@device-metrics/contract';
import { ApiPropertyOptional, PickType } from '@device-metrics/contract/openapi';
import { FleetQuery, Repeatable } from '../http/series-query.dto.js';
import { statusesRule } from './device-rules.js';
import { STATUSES, type DeviceStatus } from './rhythm.js';

/** Which devices are listed. */
export class DevicesQuery extends PickType(FleetQuery, ['device_name', 'tag'] as const) {
  @ApiPropertyOptional({ description: 'Repeatable.', enum: STATUSES, isArray: true, example: ['late', 'offline'] })
  @Optional()
  @Repeatable()
  @Obeys(statusesRule(STATUSES))
  status?: DeviceStatus[];
}
