import { createReadStream } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { StoreFullError, type StoreOperation } from '@device-metrics/storage';
import { apiConfig, type ApiConfig } from '../settings.js';
import { Problem } from '../http/problem.js';
import { SAMPLE_STORE } from '../sample-store.module.js';

/** A copy of the database that is deleted once it has been read or given up. */
export interface BackupFile {
  readonly stream: NodeJS.ReadableStream & { destroy(): void };
  /** Bytes. */
  readonly size: number;
}

/** Makes copies beside the database, where there is a disk that is meant to hold it. */
@Injectable()
export class Backup {
  private readonly prefix: string;
  private underWay = false;

  constructor(
    @Inject(SAMPLE_STORE) private readonly store: StoreOperation,
    @Inject(apiConfig.KEY) config: ApiConfig,
  ) {
    this.prefix = `${resolve(config.databasePath)}.backup-`;
  }

  /** @throws Problem while another backup is made, or when there is no room for it. */
  async create(): Promise<BackupFile> {
    const { store } = this;
    if (!store.backup)
      throw new Problem('no-backup', 'The api makes no backup of this database, which has means of its own.');
    if (this.underWay)
      throw new Problem('backup-under-way', 'Another backup is under way; one at a time.', { retryAfter: 30 });
    this.underWay = true;
    try {
      await this.removeLeftovers();
      const path = this.prefix + Date.now();
      await store.backup(path);
      const { size } = await stat(path);
      const stream = createReadStream(path);
      stream.once('close', () => {
        this.underWay = false;
        this.removeLeftovers().catch((error: unknown) => new Logger('backup').warn(error));
      });
      return { stream, size };
    } catch (error) {
      this.underWay = false;
      await this.removeLeftovers();
      if (!(error instanceof StoreFullError)) throw error;
      throw new Problem('disk-full', 'The disk of the server has no room for a copy of the database.', {
        retryAfter: 300,
      });
    }
  }

  /** Copies that were read to their end, or that a crash left behind. */
  private async removeLeftovers(): Promise<void> {
    const folder = dirname(this.prefix);
    for (const name of await readdir(folder)) {
      if (name.startsWith(basename(this.prefix))) await rm(join(folder, name), { force: true });
    }
  }
}
