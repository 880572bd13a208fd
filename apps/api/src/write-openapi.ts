import 'reflect-metadata';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { DAY } from '@device-metrics/domain';
import { AppModule } from './app.module.js';
import { openApiDocument } from './http/openapi.js';

// The last step of the build: writes the description of all calls beside this file. A preview makes no providers, and so
// opens no database.
const app = await NestFactory.create(AppModule, new FastifyAdapter(), {
  preview: true,
  abortOnError: false,
  logger: ['error'],
});
const path = fileURLToPath(new URL('openapi.json', import.meta.url));
writeFileSync(path, `${JSON.stringify(await openApiDocument(app), withoutToday, 2)}\n`);

/** Examples with today's time, which can be sent as they stand, would make another file of every build. */
function withoutToday(_key: string, value: unknown): unknown {
  const time = Date.UTC(2026, 0, 15, 10);
  if (typeof value === 'string') return value.replace(/^\d{13}(?=000000$)/, String(time));
  return typeof value === 'number' && Math.abs(value - Date.now()) < DAY ? time : value;
}
