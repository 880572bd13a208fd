import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { AppModule } from './app.module.js';
import { apiConfig, SettingsError, type ApiConfig } from './config.js';
import { createServer } from './http/create-server.js';

const logger = new Logger('api');

try {
  const app = await createServer(AppModule);
  const { host, port } = app.get<ApiConfig>(apiConfig.KEY);
  await app.listen({ host, port });
  app.useLogger(['log', 'warn', 'error', 'fatal']);
  logger.log(`Listening on ${await app.getUrl()}; documentation at ${await app.getUrl()}/docs`);
} catch (error) {
  if (error instanceof SettingsError) {
    for (const mistake of error.mistakes) logger.error(mistake);
  } else {
    logger.error(error instanceof Error ? error.stack : error);
  }
  process.exit(1);
}
