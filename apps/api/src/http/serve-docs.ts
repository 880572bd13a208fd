import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { INestApplication } from '@nestjs/common';
import type { FastifyInstance } from 'fastify';
import { openApiDocument } from './openapi.js';

/** Where the files of Swagger UI are. */
const SWAGGER_UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Device Metrics API</title>
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
    <link rel="icon" type="image/png" href="/docs/favicon-32x32.png" sizes="32x32" />
    <style>
      body {
        margin: 0;
        background: #fafafa;
      }
    </style>
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true });\n`;

/**
 * Swagger UI at /docs, the document itself at /openapi.json, /docs/openapi.json and /docs/openapi.yaml. Everything comes
 * from this server. The document is made when it is asked for first.
 */
export function serveDocs(app: INestApplication): void {
  let json: Promise<string> | undefined;
  const document = (): Promise<string> => (json ??= openApiDocument(app).then((made) => JSON.stringify(made)));
  const server = app.getHttpAdapter().getInstance() as FastifyInstance;
  const open = { config: { needs: 'open' } } as const;
  for (const path of ['/openapi.json', '/docs/openapi.json']) {
    server.get(path, open, async (_request, reply) => reply.type('application/json').send(await document()));
  }
  server.get('/docs/openapi.yaml', open, async (_request, reply) => {
    const { stringify } = await import('yaml');
    return reply.type('text/yaml').send(stringify(JSON.parse(await document()), { aliasDuplicateObjects: false }));
  });
  for (const path of ['/docs', '/docs/index.html']) {
    server.get(path, open, (_request, reply) => reply.type('text/html').send(PAGE));
  }
  server.get('/docs/start.js', open, (_request, reply) => reply.type('application/javascript').send(START));
  void server.register(fastifyStatic, {
    root: SWAGGER_UI,
    prefix: '/docs/',
    decorateReply: false,
    allowedPath: (path) => /^\/(swagger-ui(-bundle\.js|\.css)|favicon-32x32\.png)$/.test(path),
  });
}
