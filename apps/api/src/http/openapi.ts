import { STATUS_CODES } from 'node:http';
import { applyDecorators, type INestApplication } from '@nestjs/common';
import { ProblemDto } from '@device-metrics/contract';
import { ApiExtraModels, ApiResponse, described, getSchemaPath } from '@device-metrics/contract/openapi';
import type { OpenAPIObject } from '@nestjs/swagger';
import { PROBLEM_TYPES, problemUri, typeOfStatus, type ProblemType } from './problem-types.js';

const DESCRIPTION = `Metrics of PCs and third-party devices. A \`2xx\` to samples means: on disk, fsynced. A series (device, metric,
labels) and a timestamp are the natural key and the last write wins, so sending again changes nothing. Errors are
\`application/problem+json\` and say what was received and what is allowed.`;

/** The description of all calls of an application. */
export async function openApiDocument(app: INestApplication): Promise<OpenAPIObject> {
  const { DocumentBuilder, SwaggerModule } = await described();
  const config = new DocumentBuilder()
    .setTitle('Device Metrics')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addTag('aggregator', 'Take samples in.')
    .addTag('reporting', 'Ask questions of what is stored.')
    .addTag('alerts', 'What is watched, and who is told.')
    .addTag('devices', 'What is measured, and whether it is there.')
    .addTag('access', 'Who gets in, and what they may do.')
    .addTag('status', 'A page for everybody, of chosen devices.')
    .addTag('monitoring', 'How this server is.')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      description: 'A token, `dm_…`; the scheme `Token` is understood too.',
    })
    .addBasicAuth({ type: 'http', scheme: 'basic', description: 'Any name, and a token as password.' })
    .addCookieAuth('__Host-device-metrics', {
      type: 'apiKey',
      in: 'cookie',
      description: 'A session, made by `POST /api/v1/session`.',
    })
    .build();
  return SwaggerModule.createDocument(app, config);
}

/** Examples of `detail`, by the code of the problem; by its status where that says enough. */
type ProblemExamples = Readonly<Partial<Record<ProblemType | number, string>>>;

/** Documents error answers of a call. */
export const ApiProblems = (details: ProblemExamples): MethodDecorator & ClassDecorator =>
  applyDecorators(
    ApiExtraModels(ProblemDto),
    ...Object.entries(details).map(([key, detail]) => {
      const type = key in PROBLEM_TYPES ? (key as ProblemType) : typeOfStatus(Number(key));
      const status = key in PROBLEM_TYPES ? PROBLEM_TYPES[type] : Number(key);
      const title = STATUS_CODES[status] ?? 'Error';
      const example = { type: problemUri(type), title, status, detail };
      return ApiResponse({
        status,
        description: title,
        content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDto) }, example } },
      });
    }),
  );

/** For `ApiProblems` of calls that take a body. */
export const BAD_BODY = {
  413: 'The body must have at most 8388608 bytes, after decompression.',
  415: 'The content type must be application/json, got text/csv.',
};
