import { applyDecorators, type Type } from '@nestjs/common';
import { ApiExtraModels, ApiOkResponse, getSchemaPath } from '@device-metrics/contract/openapi';
import { MEDIA_TYPES } from './format.js';

/** Documents the answer of a report in all its formats, and what its headers say. */
export const ApiAnswer = (dto: Type, examples: { csv: string; ndjson: string }): MethodDecorator =>
  applyDecorators(
    ApiExtraModels(dto),
    ApiOkResponse({
      headers: {
        Link: {
          description: 'Only with `limit`, where there is more: the address of the next page.',
          schema: { type: 'string' },
          example: '</api/v1/reports/summary?limit=100&cursor=100>; rel="next"',
        },
      },
      content: {
        [MEDIA_TYPES.json]: { schema: { $ref: getSchemaPath(dto) } },
        [MEDIA_TYPES.csv]: { schema: { type: 'string' }, example: examples.csv },
        [MEDIA_TYPES.ndjson]: { schema: { type: 'string' }, example: examples.ndjson },
        [MEDIA_TYPES.xlsx]: { schema: { type: 'string', format: 'binary' }, example: 'PK…' },
      },
    }),
  );
