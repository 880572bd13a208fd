import { ApiPropertyOptional } from '@nestjs/swagger';
import { Obeys } from '@device-metrics/contract';
import { ValidateIf } from 'class-validator';
import { queryTimeRule, timeRangeRule } from './time-span.js';

const Optional = (): PropertyDecorator => ValidateIf((_object, value) => value !== undefined);

export class DeviceReportQuery {
  @ApiPropertyOptional({
    description: 'First moment of the report, RFC 3339 or Unix milliseconds; default: 24 hours before `end_time`.',
    example: '2026-01-15T00:00:00Z',
  })
  @Optional()
  @Obeys(queryTimeRule)
  start_time?: string;

  @ApiPropertyOptional({
    description: 'End of the report, itself not included; default: the newest sample.',
    example: '2026-01-16T00:00:00Z',
  })
  @Optional()
  @Obeys(queryTimeRule)
  end_time?: string;
}

export class SummaryQuery {
  @ApiPropertyOptional({ description: 'Hours back from now.', default: 24, example: 24 })
  @Optional()
  @Obeys(timeRangeRule)
  time_range?: string;
}
