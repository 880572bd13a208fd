import { applyDecorators } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ApiResponse, DocumentBuilder, SwaggerModule } from '@nestjs/swagger';
import { ProblemDto } from '@device-metrics/contract';

const DESCRIPTION = `Metrics of PCs and third-party devices. A \`2xx\` to samples means: on disk, fsynced. A series (device, metric,
labels) and a timestamp are the natural key and the last write wins, so sending again changes nothing. Errors are
\`application/problem+json\` and say what was received and what is allowed.`;

/** Swagger UI at /docs, the document itself at /docs/openapi.json. Everything comes from this server. */
export function serveOpenApi(app: NestFastifyApplication): void {
  const config = new DocumentBuilder()
    .setTitle('Device Metrics')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .addTag('aggregator', 'Take samples in.')
    .addTag('reporting', 'Ask questions of what is stored.')
    .addTag('devices', 'What is measured, and whether it is there.')
    .addTag('monitoring', 'How this server is.')
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, config), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    customSiteTitle: 'Device Metrics API',
  });
}

/** Documents error answers of a call: for each status an example of its `detail`. */
export const ApiProblems = (details: Record<number, string>): MethodDecorator & ClassDecorator =>
  applyDecorators(
    ...Object.entries(details).map(([status, detail]) =>
      ApiResponse({
        status: Number(status),
        type: ProblemDto,
        description: detail,
      }),
    ),
  );
