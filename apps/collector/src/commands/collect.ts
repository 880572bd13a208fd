import 'reflect-metadata';
import { unwatchFile, watchFile } from 'node:fs';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Collector } from '../run/collector.js';
import { CollectorModule } from '../run/collector.module.js';
import { SettingsError } from '@device-metrics/settings';
import { readConfig, type Config } from '../config/config.js';
import { RedactingLogger } from '../run/logger.js';
import { openSpool, takeSpool } from '../upload/open-spool.js';

/** Beyond this after a signal the process ends, whatever still hangs, ms. */
const LATEST_EXIT = 5_800;
/** How often the configuration file is looked at, ms. */
const WATCH_INTERVAL = 2_000;

/** Collects until SIGTERM or SIGINT, then ends the process; SIGHUP or a change of the file reads the configuration again. */
export async function collect(config: Config): Promise<void> {
  const logger = new RedactingLogger('Collector', {
    logLevels: ['log', 'warn', 'error', 'fatal'],
    // Colours are for people: a log that goes to a file or a pipe has none.
    colors: process.stdout.isTTY === true,
  });
  logger.secrets = config.redactor;
  Logger.overrideLogger(logger);
  const lock = takeSpool(config);
  const spool = openSpool(config, (message) => new Logger('Spool').error(message));
  const module = CollectorModule.of(config, spool);
  const app = await NestFactory.createApplicationContext(module, { logger, abortOnError: false });
  const reload = (): void => reloadInto(app.get(Collector), logger);
  process.on('SIGHUP', reload);
  watchFile(config.file, { interval: WATCH_INTERVAL }, (now, before) => {
    // A link may lead to another file of the same time: some package managers set the time of all files to one.
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) reload();
  });
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      unwatchFile(config.file);
      setTimeout(() => process.exit(0), LATEST_EXIT);
      void app.close().then(() => {
        lock.close();
        process.exit(0);
      });
    });
  }
}

/** With a mistake in the new configuration the old one stays. */
function reloadInto(collector: Collector, logger: RedactingLogger): void {
  try {
    const config = readConfig();
    // What only a restart takes up, as the token of the api, is in use still.
    if (logger.secrets) config.redactor.addAllOf(logger.secrets);
    logger.secrets = config.redactor;
    collector.reload(config);
  } catch (error) {
    const mistakes = error instanceof SettingsError ? [error.message, ...error.mistakes] : [String(error)];
    new Logger('Configuration').error(`Not read again: ${mistakes.join('\n  ')}`);
  }
}
