import { statSync } from 'node:fs';
import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { reasonOf } from '@device-metrics/domain';
import type { StoreOperation } from '@device-metrics/storage';
import { ApiMetrics } from '../monitoring/api-metrics.js';
import { SAMPLE_STORE } from '../sample-store.token.js';
import { apiConfig, type ApiConfig } from '../settings.js';
import { runBySchedule } from '../run-by-schedule.js';
import { BackupFiles, scheduledName } from './backup-files.js';

/** Makes backups at the times that `BACKUP_SCHEDULE` says, each of which has been opened and checked. */
@Injectable()
export class ScheduledBackups implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('backup');
  private readonly files: BackupFiles;
  private underWay: Promise<void> | undefined;
  private end: () => void = () => undefined;

  constructor(
    @Inject(SAMPLE_STORE) private readonly store: StoreOperation,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
    private readonly metrics: ApiMetrics,
  ) {
    const { backupPath, backupKeep } = config.operation;
    this.files = new BackupFiles(backupPath, backupKeep);
  }

  async onApplicationBootstrap(): Promise<void> {
    const { backupSchedule } = this.config.operation;
    if (backupSchedule === '') return;
    if (!this.store.backup) {
      this.logger.warn('BACKUP_SCHEDULE does nothing: this database has backups of its own, such as pg_dump.');
      return;
    }
    const newest = await this.files.newest(Date.now());
    if (newest !== undefined) this.metrics.lastBackup.set(newest / 1_000);
    const since = newest ?? bornAt(this.config.databasePath);
    this.end = runBySchedule(backupSchedule, () => this.runUnlessUnderWay(), { since });
  }

  /** Ends one that is under way while the store is still open. */
  async beforeApplicationShutdown(): Promise<void> {
    this.end();
    await this.underWay;
  }

  private runUnlessUnderWay(): void {
    if (this.underWay) {
      this.logger.warn('The backup of the time before is still being made: the one of now is skipped.');
      return;
    }
    this.underWay = this.run(Date.now()).finally(() => (this.underWay = undefined));
  }

  /** Never rejects. */
  private async run(now: number): Promise<void> {
    try {
      const path = await this.files.make(scheduledName(now), async (file) => this.store.backup?.(file));
      this.metrics.lastBackup.set(now / 1_000);
      this.logger.log(`Made and checked ${path}`);
      await this.files.removeOld(now);
    } catch (error) {
      this.metrics.backupFailures.inc();
      this.logger.error(`The backup could not be made: ${reasonOf(error)}; those before stay`);
    }
  }
}

/** When a file was made, Unix ms; undefined where the file system does not know. */
function bornAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.birthtimeMs || undefined;
}
