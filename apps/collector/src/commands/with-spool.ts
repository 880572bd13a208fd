import { statSync } from 'node:fs';
import { reasonOf } from '@device-metrics/domain';
import type { Config } from '../config/config.js';
import { openSpool } from '../upload/open-spool.js';
import type { Spool } from '../upload/spool.js';
import { UsageError } from './command.js';

/** Gives the spool of the configuration to `work`; there must be one. */
export function withSpool(config: Config, work: (spool: Spool) => void): void {
  try {
    statSync(config.spool.path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new UsageError(
        `The spool cannot be looked into: ${reasonOf(error)}; run this as the user of the collector`,
      );
    }
    throw new UsageError(`There is no spool ${config.spool.path}: no collector has run with these settings yet`);
  }
  const spool = openSpool(config);
  try {
    work(spool);
  } finally {
    spool.close();
  }
}
