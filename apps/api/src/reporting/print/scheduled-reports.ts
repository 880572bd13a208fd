import {
  Inject,
  Injectable,
  Logger,
  type BeforeApplicationShutdown,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { DeviceRhythms } from '../../devices/device-rhythms.js';
import { reasonOf } from '@device-metrics/domain';
import type { Store } from '@device-metrics/storage';
import { apiConfig, type ApiConfig, type ReportSettings } from '../../settings.js';
import { ApiMetrics } from '../../monitoring/api-metrics.js';
import { runBySchedule } from '../../run-by-schedule.js';
import { SAMPLE_STORE } from '../../sample-store.token.js';
import { Patience } from './patience.js';
import { ReportFolders } from './report-folders.js';
import { SharedTurns } from './shared-turns.js';
import { writeRun } from './write-run.js';

/** How often it is asked whether a process that is gone has left its turn undone, ms. */
const ASKING = 2_000;

/** Writes printable reports of all devices at the times that `REPORTS_SCHEDULE` says. */
@Injectable()
export class ScheduledReports implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('reports');
  private readonly settings: ReportSettings;
  private readonly folders: ReportFolders;
  private readonly turns: SharedTurns;
  private readonly stop = new AbortController();
  private underWay: Promise<void> | undefined;

  constructor(
    @Inject(SAMPLE_STORE) private readonly store: Store,
    @Inject(apiConfig.KEY) private readonly config: ApiConfig,
    private readonly rhythms: DeviceRhythms,
    private readonly metrics: ApiMetrics,
  ) {
    this.settings = config.reports;
    this.folders = new ReportFolders(this.settings.path, this.settings.keep);
    this.turns = new SharedTurns(store, 'reports');
  }

  async onApplicationBootstrap(): Promise<void> {
    const { schedule, timeZone } = this.settings;
    if (schedule === '') return;
    // Of several processes one is there when it is time.
    const since = this.store.lastDone ? undefined : await this.folders.newest(Date.now());
    const end = runBySchedule(schedule, () => this.runUnlessUnderWay(), { timeZone, since });
    const asking = setInterval(() => void this.runWhatIsLeft(), ASKING).unref();
    this.stop.signal.addEventListener('abort', () => {
      end();
      clearInterval(asking);
    });
  }

  /** Ends a run that is under way while the store is still open. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stop.abort();
    await this.underWay;
  }

  private runUnlessUnderWay(): void {
    if (this.stop.signal.aborted) return;
    if (this.underWay) {
      this.logger.warn('The reports of the time before are still being written: those of now are skipped.');
      return;
    }
    const now = Date.now();
    this.begin(now, () => this.turns.isMine(now));
  }

  private async runWhatIsLeft(): Promise<void> {
    // Where the database is away it is asked again.
    const isLeft = !this.underWay && (await this.turns.isLeftToMe().catch(() => false));
    if (isLeft && !this.underWay && !this.stop.signal.aborted) this.begin(Date.now(), async () => true);
  }

  private begin(now: number, isMine: () => Promise<boolean>): void {
    this.underWay = this.run(now, isMine).finally(() => (this.underWay = undefined));
  }

  /** Never rejects. */
  private async run(now: number, isMine: () => Promise<boolean>): Promise<void> {
    const { signal } = this.stop;
    const patience = new Patience(this.store, signal);
    try {
      if (!(await isMine())) return;
      const { name, devices } = await writeRun(this.store, this.rhythms, this.folders, this.config, now, {
        ...{ signal, patience },
        onFailure: (device, error) => this.failed(`The report of ${device} was not made`, error),
      });
      this.metrics.reportsWritten.inc();
      this.logger.log(`Wrote reports of ${devices} devices: ${this.settings.path}/${name}`);
      await patience.with(() => this.turns.note(now));
      await this.folders.removeOld(name);
    } catch (error) {
      if (signal.aborted) return;
      this.failed(`Reports could not be written to ${this.settings.path}`, error);
    }
  }

  private failed(what: string, error: unknown): void {
    this.metrics.reportFailures.inc();
    this.logger.error(`${what}: ${reasonOf(error)}`);
  }
}
