import { ConsoleLogger, type LogLevel } from '@nestjs/common';

/** Who tells an error by its stack before it is thrown to `main.ts`, which tells it in a sentence. */
const TOLD_AGAIN = new Set(['ExceptionHandler', 'TypeOrmModule']);

class ApiLogger extends ConsoleLogger {
  override error(message: unknown, ...more: unknown[]): void {
    if (TOLD_AGAIN.has(String(more.at(-1)))) return;
    super.error(message, ...(more as string[]));
  }
}

/** Colours are for people: a log that goes to a file or a pipe has none. */
export const consoleLogger = (logLevels: LogLevel[]): ConsoleLogger =>
  new ApiLogger({ logLevels, colors: process.stdout.isTTY === true });
