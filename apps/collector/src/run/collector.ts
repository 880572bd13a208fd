import { reasonOf, showDuration, type Reading } from '@device-metrics/domain';
import type { Config } from '../config/config.js';
import type { DevicesInUse } from './devices-in-use.js';
import { CollectorSource, runReadings } from './own-metrics.js';
import { SourceRunner, toWireSample } from './run-source.js';
import { SourceStates } from './source-states.js';
import type { SourceTools } from './source.js';
import type { Log } from './log.js';
import type { SourceConfig } from '../config/sources.js';
import { Timestamps } from './timestamps.js';
import { nextTurn } from './turns.js';
import type { Spool } from '../upload/spool.js';
import { type WireSample } from '../upload/spool.js';
import type { Uploader } from '../upload/uploader.js';

/** Runs that end within this time share one commit of the spool, ms. */
const COMMIT_DELAY = 50;
/** Samples that wait in memory while the spool cannot be written; beyond it the oldest go. */
const MOST_UNWRITTEN = 20_000;

/** How the first run of a source ended; `reason` is empty where it gave anything. */
export interface FirstRun {
  readonly name: string;
  readonly reason: string;
}

interface Scheduled {
  readonly identity: string;
  readonly interval: number;
  readonly runner: SourceRunner;
}

/** Runs every source at its interval, puts the samples into the spool and keeps the uploader going. */
export class Collector {
  private readonly scheduled = new Map<string, Scheduled>();
  private readonly timestamps = new Timestamps();
  private readonly states = new SourceStates();
  private unwritten: WireSample[] = [];
  /** Samples that had to go while the spool could not be written. */
  private lost = 0;
  private commitTimer: NodeJS.Timeout | undefined;
  private unwritable = '';
  /** Samples that the full spool has given up since it was last not full. */
  private evicted = 0;
  private stopped = false;
  /** By the interval, ms. */
  private readonly timers = new Map<number, NodeJS.Timeout>();

  constructor(
    private config: Config,
    private readonly tools: SourceTools,
    private readonly spool: Spool,
    private readonly uploader: Uploader,
    private readonly devices: DevicesInUse,
    private readonly log: Log,
  ) {}

  start(): void {
    const { api, deviceName, spool, sources } = this.config;
    this.log.log(`Device ${deviceName} sends to ${api.url}; spool ${spool.path}`);
    void this.apply(this.config);
    this.log.log(`${sources.length} sources: ${sources.map(describe).join(', ')}`);
    const { pendingBatches, pendingSamples } = this.spool.totals();
    if (pendingBatches > 0) this.log.log(`In the spool: ${pendingBatches} batches, ${pendingSamples} samples`);
    this.uploader.start();
  }

  /** Ends within 6 s whatever hangs: commits what was read, then waits for the request in flight. */
  async stop(): Promise<void> {
    this.stopped = true;
    for (const timer of this.timers.values()) clearTimeout(timer);
    const closed = [...this.scheduled.values()].map(({ runner }) => runner.close());
    this.commit();
    await Promise.all([this.uploader.stop(), ...closed]);
    this.commitLast();
    const { pendingBatches, pendingSamples } = this.spool.totals();
    this.spool.close();
    this.log.log(`Stopped; left for the next start: ${pendingBatches} batches, ${pendingSamples} samples`);
  }

  /**
   * Takes up another configuration of sources. Those that stay as they were go on undisturbed.
   *
   * @returns how the first runs of the others end.
   * @throws where a source cannot be made; then all is as it was.
   */
  reload(config: Config): Promise<readonly FirstRun[]> {
    const before = new Map(this.scheduled);
    const restart = changedForRestart(this.config, config);
    const { sources, deviceName, interval, redactor } = config;
    const next = { ...this.config, sources, deviceName, interval, redactor };
    const firstRuns = this.apply(next);
    this.config = next;
    this.devices.set(next);
    const started = config.sources.filter(({ name, identity }) => before.get(name)?.identity !== identity);
    const ended = [...before.keys()].filter((name) => !this.scheduled.has(name));
    const said = [
      started.length > 0 && `started: ${started.map(describe).join(', ')}`,
      ended.length > 0 && `ended: ${ended.join(', ')}`,
    ].filter(Boolean);
    this.log.log(`Configuration read again; ${said.join('; ') || 'no source has changed'}`);
    if (restart.length > 0) this.log.warn(`Changed as well, but only a restart takes it up: ${restart.join(', ')}`);
    return firstRuns;
  }

  /** How the last run of every source ended, and what the spool holds. */
  async ownReadings(): Promise<Reading[]> {
    const runs = [...this.scheduled.values()].flatMap(({ runner }) => runReadings(runner));
    return [...runs, ...(await this.ownSource().read())];
  }

  private apply(config: Config): Promise<readonly FirstRun[]> {
    const sources = this.sourcesOf(config);
    const wanted = new Map(sources.map((source) => [source.name, source]));
    const isOther = ({ name, identity }: SourceConfig): boolean => this.scheduled.get(name)?.identity !== identity;
    // Made before any other is ended: one that cannot be made changes nothing.
    const started = sources.filter(isOther).map((source) => this.schedule(source));
    for (const [name, { identity, runner }] of this.scheduled) {
      if (wanted.get(name)?.identity === identity) continue;
      this.scheduled.delete(name);
      this.states.forget(name);
      void runner.close();
    }
    for (const one of started) this.scheduled.set(one.runner.name, one);
    this.setTimers();
    return this.runAll(started).then(() =>
      started.map(({ runner: { name, outcome } }) => ({ name, reason: outcome?.reason ?? 'it has not run' })),
    );
  }

  /** The sources that the configuration asks for, and the collector itself. */
  private sourcesOf({ sources, deviceName, interval }: Config): SourceConfig[] {
    const identity = `${deviceName} ${interval}`;
    const create = (): CollectorSource => this.ownSource();
    return [...sources, { name: 'collector', deviceName, interval, timeout: interval, identity, create }];
  }

  private ownSource(): CollectorSource {
    return new CollectorSource(this.spool, this.uploader, Date.now);
  }

  private schedule({ identity, interval, timeout, deviceName, create }: SourceConfig): Scheduled {
    return { identity, interval, runner: new SourceRunner(create(this.tools), { deviceName, timeout }, this.log) };
  }

  /** One timer for each interval in use: sources of one interval run together and share a timestamp. */
  private setTimers(): void {
    const wanted = new Set([...this.scheduled.values()].map(({ interval }) => interval));
    for (const [interval, timer] of this.timers) {
      if (wanted.has(interval)) continue;
      clearTimeout(timer);
      this.timers.delete(interval);
    }
    for (const interval of wanted) {
      if (!this.timers.has(interval)) this.setTimer(interval, performance.now() + interval);
    }
  }

  /** Turns come on a fixed grid: one that comes late moves none of those after it. */
  private setTimer(interval: number, due: number): void {
    const turn = (): void => {
      this.setTimer(interval, nextTurn(due, interval, performance.now()));
      void this.runAll([...this.scheduled.values()].filter((one) => one.interval === interval));
    };
    this.timers.set(interval, setTimeout(turn, Math.ceil(due - performance.now())));
  }

  private async runAll(scheduled: readonly Scheduled[]): Promise<void> {
    const timestamp = this.timestamps.next();
    await Promise.all(scheduled.map((one) => this.runOne(one.runner, timestamp)));
  }

  private async runOne(runner: SourceRunner, timestamp: number): Promise<void> {
    const samples = await runner.run(timestamp);
    // A source that a reload has ended meanwhile has nothing to say any more.
    if (!samples || this.stopped || this.scheduled.get(runner.name)?.runner !== runner) return;
    this.note(runner);
    const own = runReadings(runner).map((reading) => toWireSample(reading, this.config.deviceName, timestamp));
    // Not by `push`: its arguments must fit the stack, and a source may have more readings than that.
    this.unwritten = this.unwritten.concat(samples, own);
    this.commitTimer ??= setTimeout(() => this.commit(), COMMIT_DELAY);
  }

  /** For `collector status`, which another process answers. */
  private note({ name, outcome }: SourceRunner): void {
    const { redactor } = this.config;
    const state = outcome && this.states.change(name, outcome, Date.now(), (text) => redactor.redact(text));
    if (!state) return;
    try {
      this.spool.noteSource(state);
    } catch {
      // The commit of the samples says that the spool cannot be written; then the next run tries again.
      this.states.forget(name);
    }
  }

  private commit(): void {
    clearTimeout(this.commitTimer);
    this.commitTimer = undefined;
    if (this.unwritten.length === 0) return;
    try {
      const evicted = this.spool.add(this.unwritten, Date.now(), this.lost);
      this.unwritten = [];
      this.lost = 0;
      this.sayEvicted(evicted);
      if (this.unwritable !== '') this.log.log('The spool can be written again');
      this.unwritable = '';
      this.uploader.wake();
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== this.unwritable) this.log.error(`The spool cannot be written: ${reason}; samples wait in memory`);
      this.unwritable = reason;
      this.lost += this.unwritten.splice(0, Math.max(0, this.unwritten.length - MOST_UNWRITTEN)).length;
    }
  }

  /** What the spool has not taken until the end takes the room that it holds for deletes, or is counted as given up. */
  private commitLast(): void {
    const { unwritten, lost } = this;
    if (unwritten.length + lost === 0) return;
    try {
      this.spool.addLast(unwritten, Date.now(), lost);
      if (lost > 0)
        this.log.error(`The spool could not be written for long: ${lost} samples are given up, and counted`);
    } catch (error) {
      const given = unwritten.length + lost;
      const isCounted = this.countLost(given) ? 'counted as evicted' : 'in no count';
      this.log.error(
        `The spool cannot be written: ${reasonOf(error)}; ${given} samples that waited in memory are lost, and ${isCounted}`,
      );
    }
    this.unwritten = [];
    this.lost = 0;
  }

  private countLost(samples: number): boolean {
    try {
      this.spool.countLost(samples);
      return true;
    } catch {
      return false;
    }
  }

  private sayEvicted(samples: number): void {
    if (samples > 0 && this.evicted === 0) this.log.warn('The spool is full; its oldest samples are given up');
    if (samples === 0 && this.evicted > 0)
      this.log.log(`The spool has room again; ${this.evicted} samples were given up`);
    this.evicted = samples === 0 ? 0 : this.evicted + samples;
  }
}

/** The settings that have another value now and that are read at the start only. */
function changedForRestart(before: Config, now: Config): string[] {
  const settings = ({ api, spool, metricsPort, update }: Config): Record<string, unknown> => ({
    API_URL: api.url,
    API_TOKEN: api.token,
    SPOOL_PATH: spool.path,
    SPOOL_MAX_BYTES: spool.maxBytes,
    SPOOL_MIN_FREE_BYTES: spool.minFreeBytes,
    COLLECTOR_METRICS_PORT: metricsPort,
    UPDATE_INTERVAL: update.interval,
  });
  const old = settings(before);
  return Object.entries(settings(now)).flatMap(([name, value]) => (value === old[name] ? [] : [name]));
}

const describe = ({ name, interval }: SourceConfig): string => `${name} (${showDuration(interval)})`;
