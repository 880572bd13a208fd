import type { ParseArgsConfig } from 'node:util';
import type { AccessStore } from '@device-metrics/storage';
import type { ApiSettings } from '../settings.js';

/** What a command works with. */
export interface Work {
  readonly store: AccessStore;
  readonly settings: ApiSettings;
  /** What stands after the name of the command, without options. */
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string | string[] | boolean | undefined>>;
  readonly now: number;
  readonly print: (line: string) => void;
}

/** What `api <name>` does. */
export interface Command {
  /** Its lines in the help. */
  readonly usage: string;
  readonly options?: NonNullable<ParseArgsConfig['options']>;
  /** How many arguments it takes. */
  readonly args: readonly [least: number, most: number];
  run(work: Work): Promise<void>;
}
