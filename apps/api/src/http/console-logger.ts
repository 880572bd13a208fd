import { ConsoleLogger, type LogLevel } from '@nestjs/common';

/** Colours are for people: a log that goes to a file or a pipe has none. */
export const consoleLogger = (logLevels: LogLevel[]): ConsoleLogger =>
  new ConsoleLogger({ logLevels, colors: process.stdout.isTTY === true });
