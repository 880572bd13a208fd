import { ConsoleLogger, type LogLevel } from '@nestjs/common';
import type { Redactor } from '../config/redact.js';

/** What Nest says of its own start tells a user nothing. */
const SILENT = ['NestFactory', 'InstanceLoader'];

/** The log of Nest with every secret taken out. */
export class RedactingLogger extends ConsoleLogger {
  secrets: Redactor | undefined;

  override log(message: unknown, ...others: unknown[]): void {
    if (!SILENT.includes(String(others.at(-1)))) super.log(message, ...(others as string[]));
  }

  protected override formatMessage(
    logLevel: LogLevel,
    message: unknown,
    pidMessage: string,
    formattedLogLevel: string,
    contextMessage: string,
    timestampDiff: string,
  ): string {
    const text = super.formatMessage(logLevel, message, pidMessage, formattedLogLevel, contextMessage, timestampDiff);
    return this.secrets?.redact(text) ?? text;
  }
}
