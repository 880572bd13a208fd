import { Obeys, Optional } from '@device-metrics/contract';
import { ApiPropertyOptional } from '@device-metrics/contract/openapi';
import { oneOf } from '../query-rules.js';
import { FORMATS, type Format } from './format.js';

/** What a report is answered in. */
export class AnswerQuery {
  @ApiPropertyOptional({ description: 'Goes before the header Accept.', enum: FORMATS, default: 'json' })
  @Optional()
  @Obeys(oneOf(...FORMATS))
  format?: Format;

  @ApiPropertyOptional({
    description: 'Whether csv begins with a byte order mark, by which spreadsheets know that it is UTF-8.',
    enum: ['true', 'false'],
    default: 'false',
  })
  @Optional()
  @Obeys(oneOf('true', 'false'))
  bom?: string;
}
