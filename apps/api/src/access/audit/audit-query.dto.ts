import { Obeys, Optional, type Rule } from '@device-metrics/contract';
import { wrong } from '@device-metrics/domain';
import { ApiPropertyOptional } from '@device-metrics/contract/openapi';

const FORMATS = ['json', 'ndjson'] as const;

const integer =
  (most: number): Rule =>
  (value) =>
    typeof value === 'string' && /^[1-9]\d{0,15}$/.test(value) && Number(value) <= most
      ? undefined
      : wrong(`an integer from 1 to ${most}`, value);

/** Which entries. */
export class AuditQuery {
  @ApiPropertyOptional({ description: 'How many entries at most.', example: '100', default: '100' })
  @Optional()
  @Obeys(integer(1000))
  limit?: string;

  @ApiPropertyOptional({ description: '`next_cursor` of the answer before.', example: '17' })
  @Optional()
  @Obeys(integer(Number.MAX_SAFE_INTEGER))
  cursor?: string;

  @ApiPropertyOptional({ enum: FORMATS, default: 'json', example: 'ndjson' })
  @Optional()
  @Obeys((value) => (FORMATS.some((format) => format === value) ? undefined : wrong('json or ndjson', value)))
  format?: (typeof FORMATS)[number];
}
