import 'reflect-metadata';
import { SettingsError } from '@device-metrics/settings';
import { SqliteUnavailableError } from '@device-metrics/storage';
import { Logger, type LogLevel } from '@nestjs/common';
import { UsageError } from './commands/usage.js';
import { consoleLogger } from './http/console-logger.js';
import { readApiSettings } from './settings.js';
import { version } from './version.js';

const LEVELS: LogLevel[] = ['log', 'warn', 'error', 'fatal'];
Logger.overrideLogger(consoleLogger(LEVELS));
const logger = new Logger('api');

void run();

async function run(): Promise<void> {
  try {
    const isNew = process.argv.includes('--new');
    const args = process.argv.slice(2).filter((arg) => arg !== '--new');
    if (args.length === 1 && args[0] === '--version') {
      console.log(version());
      process.exit(0);
    }
    // Each loads what it needs: a command is done before the whole api would be loaded.
    if (args.length > 0) {
      const { runCommand } = await import('./commands/commands.js');
      await runCommand(args, readApiSettings, (line) => console.log(line));
      process.exit(0);
    }
    const { serve } = await import('./serve.js');
    await serve(isNew, logger, LEVELS);
  } catch (error) {
    if (error instanceof SettingsError) {
      for (const mistake of error.mistakes) logger.error(mistake);
    } else if (error instanceof UsageError) {
      console.error(error.message);
    } else if (error instanceof SqliteUnavailableError || isOfTheSystem(error)) {
      logger.error(error.message);
    } else {
      logger.error(error instanceof Error ? error.stack : error);
    }
    process.exit(1);
  }
}

/** As of a file that this user may not read: the message says which, and a stack adds nothing. */
function isOfTheSystem(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && (error as NodeJS.ErrnoException).syscall !== undefined;
}
