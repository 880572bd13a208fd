import type { Config } from '../config/config.js';

/** Something that a command was asked for and cannot do; the message says what would do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export type Print = (line: string) => void;

/** What `collector <name>` does; `usage` is its line in the help. */
export interface Command {
  readonly usage: string;
  /** How many arguments it takes. */
  readonly most: number;
  run(config: Config, args: readonly string[], print: Print): Promise<void> | void;
}
