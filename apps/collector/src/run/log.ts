import type { Redactor } from '../config/redact.js';

/** What a part of the collector says, a line each. */
export interface Log {
  log(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** The log of the collector, with every secret taken out. */
export class Logs {
  constructor(public secrets: Redactor) {}

  /** @param part of the collector that speaks. */
  of(part: string): Log {
    const say = (level: string, to: NodeJS.WriteStream, message: string): void => {
      const line = `${new Date().toISOString()} ${level.padEnd(5)} [${part}] ${message}\n`;
      to.write(this.secrets.redact(line));
    };
    return {
      log: (message) => say('LOG', process.stdout, message),
      warn: (message) => say('WARN', process.stdout, message),
      error: (message) => say('ERROR', process.stderr, message),
    };
  }
}
