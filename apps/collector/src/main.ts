import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Collector } from './collector.js';
import { CollectorModule } from './collector.module.js';
import { ConfigError, readConfig, readEnvironment } from './config.js';
import { RedactingLogger } from './logger.js';

/** Beyond this after a signal the process ends, whatever still hangs, ms. */
const LATEST_EXIT = 5_800;

async function run(): Promise<void> {
  const config = readConfig(readEnvironment());
  const logger = new RedactingLogger('Collector', { logLevels: ['log', 'warn', 'error', 'fatal'] });
  logger.secrets = config.redactor;
  const app = await NestFactory.createApplicationContext(CollectorModule.of(config), { logger, abortOnError: false });
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      setTimeout(() => process.exit(0), LATEST_EXIT);
      void app.close().then(() => process.exit(0));
    });
  }
  app.get(Collector);
}

run().catch((error: unknown) => {
  if (error instanceof ConfigError) {
    console.error([`${error.message}:`, ...error.mistakes.map((mistake) => `  ${mistake}`)].join('\n'));
  } else {
    console.error(error);
  }
  process.exit(1);
});
