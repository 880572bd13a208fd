import { open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { pipeline, Transform, type Readable } from 'node:stream';
import { Inject, Injectable } from '@nestjs/common';
import { StoreFullError, type StoreOperation } from '@device-metrics/storage';
import { apiConfig, type ApiConfig } from '../settings.js';
import { Problem } from '../http/problem.js';
import { SAMPLE_STORE } from '../sample-store.token.js';

/** A copy of the database that is gone once it has been read or given up. */
export interface BackupFile {
  readonly stream: Readable;
  /** Bytes. */
  readonly size: number;
}

/** Makes copies beside the database, where there is a disk that is meant to hold it. */
@Injectable()
export class Backup {
  private readonly prefix: string;
  private underWay: symbol | undefined;

  constructor(
    @Inject(SAMPLE_STORE) private readonly store: StoreOperation,
    @Inject(apiConfig.KEY) config: ApiConfig,
  ) {
    this.prefix = `${resolve(config.databasePath)}.backup-`;
  }

  /**
   * It is over when the last byte has been taken from `stream`: whoever got a copy whole may ask for the next.
   *
   * @throws Problem while another backup is made or read, or when there is no room for it.
   */
  async create(): Promise<BackupFile> {
    const { store } = this;
    if (!store.backup)
      throw new Problem('no-backup', 'The api makes no backup of this database, which has means of its own.');
    if (this.underWay)
      throw new Problem('backup-under-way', 'Another backup is under way; one at a time.', { retryAfter: 30 });
    const mine = (this.underWay = Symbol('backup'));
    const end = (): void => {
      if (this.underWay === mine) this.underWay = undefined;
    };
    try {
      await this.removeLeftovers();
      const path = this.prefix + Date.now();
      await store.backup(path);
      const file = await open(path);
      // What is open can be read without its name, and is gone when it is closed, however the process ends.
      await rm(path);
      const { size } = await file.stat();
      const stream = noticeLast(size, end);
      pipeline(file.createReadStream(), stream, end);
      return { stream, size };
    } catch (error) {
      end();
      await this.removeLeftovers();
      if (!(error instanceof StoreFullError)) throw error;
      throw new Problem('disk-full', 'The disk of the server has no room for a copy of the database.', {
        retryAfter: 300,
      });
    }
  }

  /** Copies in whose making the process was killed. */
  private async removeLeftovers(): Promise<void> {
    const folder = dirname(this.prefix);
    for (const name of await readdir(folder)) {
      if (name.startsWith(basename(this.prefix))) await rm(join(folder, name), { force: true });
    }
  }
}

/** Hands bytes on, and calls `seen` before the last of `size` is handed on: 'end' comes later than the reader's next request may. */
function noticeLast(size: number, seen: () => void): Transform {
  let left = size;
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      left -= chunk.length;
      if (left <= 0) seen();
      done(null, chunk);
    },
  });
}
