import 'reflect-metadata';
import { unwatchFile, watchFile } from 'node:fs';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Collector } from './collector.js';
import { CollectorModule } from './collector.module.js';
import { commands, UsageError } from './commands.js';
import { ConfigError, readConfig, readEnvironment, type Config } from './config.js';
import { RedactingLogger } from './logger.js';

/** Beyond this after a signal the process ends, whatever still hangs, ms. */
const LATEST_EXIT = 5_800;
/** How often the configuration file is looked at, ms. */
const WATCH_INTERVAL = 2_000;

async function main([name, ...args]: readonly string[]): Promise<void> {
  if (name === undefined) return collect(readConfig(readEnvironment()));
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const usages = Object.values(commands).map(({ usage }) => `  ${usage}`);
    throw new UsageError(['Without a command the collector runs. Commands:', ...usages].join('\n'));
  }
  const config = readConfig(readEnvironment());
  const print = (line: string): void => console.log(config.redactor.redact(line));
  try {
    await command.run(config, args, print);
  } catch (error) {
    if (error instanceof UsageError) throw new UsageError(config.redactor.redact(error.message));
    throw error;
  }
}

/** Runs until a signal. */
async function collect(config: Config): Promise<void> {
  const logger = new RedactingLogger('Collector', { logLevels: ['log', 'warn', 'error', 'fatal'] });
  logger.secrets = config.redactor;
  const app = await NestFactory.createApplicationContext(CollectorModule.of(config), { logger, abortOnError: false });
  const reload = (): void => reloadInto(app.get(Collector), logger);
  process.on('SIGHUP', reload);
  watchFile(config.file, { interval: WATCH_INTERVAL }, (now, before) => now.mtimeMs !== before.mtimeMs && reload());
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      unwatchFile(config.file);
      setTimeout(() => process.exit(0), LATEST_EXIT);
      void app.close().then(() => process.exit(0));
    });
  }
}

/** With a mistake in the new configuration the old one stays. */
function reloadInto(collector: Collector, logger: RedactingLogger): void {
  try {
    const config = readConfig(readEnvironment());
    logger.secrets = config.redactor;
    collector.reload(config);
  } catch (error) {
    const mistakes = error instanceof ConfigError ? [error.message, ...error.mistakes] : [String(error)];
    new Logger('Configuration').error(`Not read again: ${mistakes.join('\n  ')}`);
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof ConfigError) {
    console.error([`${error.message}:`, ...error.mistakes.map((mistake) => `  ${mistake}`)].join('\n'));
  } else {
    console.error(error instanceof UsageError ? error.message : error);
  }
  process.exit(1);
});
