import { existsSync } from 'node:fs';
import type { Config } from '../config/config.js';
import { openSpool } from '../upload/open-spool.js';
import type { Spool } from '../upload/spool.js';
import { UsageError } from './command.js';

/** Gives the spool of the configuration to `work`; there must be one. */
export function withSpool(config: Config, work: (spool: Spool) => void): void {
  if (!existsSync(config.spool.path)) throw new UsageError(`There is no spool ${config.spool.path}`);
  const spool = openSpool(config);
  try {
    work(spool);
  } finally {
    spool.close();
  }
}
