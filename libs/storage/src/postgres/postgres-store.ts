import {
  countOf,
  reasonOf,
  type DeviceSelector,
  type Sample,
  type SampleBatch,
  type Selector,
  type Series,
  type SeriesGroup,
  type TimeRange,
  type NamedSeries,
} from '@device-metrics/domain';
import type pg from 'pg';
import { assertStorable } from '../columnar/assert-storable.js';
import { ClockWatch } from '../columnar/clock-watch.js';
import { DEFAULT_SETTINGS, RETENTION_INTERVAL, type StoreSettings } from '../columnar/store-settings.js';
import {
  StoreUnavailableError,
  type DeviceDescription,
  type OthersListener,
  type ReadOptions,
  type RefusedGroup,
  type SeriesLatest,
  type SeriesSamples,
  type SeriesSteps,
  type SeriesSummary,
  type StepQuery,
  type Store,
  type StoredDevice,
  type StoreHealth,
  type SummaryPart,
  type Tier,
} from '../store.js';
import { Commits } from './commits.js';
import { Database } from './database.js';
import { DatabaseClock } from './database-clock.js';
import { PgDevices } from './devices.js';
import { JOURNAL_GRACE, Session, type Hear } from './session.js';

/** What only this store has to know. */
export interface PostgresSettings extends StoreSettings {
  /** Connections for queries; there are two more for commits and leases. */
  readonly connections: number;
  /** How long journal rows stay at least, ms. */
  readonly journalGrace: number;
  /** How often leases are renewed, ms; 0: never, as of a process that is gone. */
  readonly beatInterval: number;
}

/** How often the others' rows are read while somebody waits for them, ms. */
const LISTENING = 250;
/** How often it is asked what there is where nobody waits, ms: limits are shared by those who live. */
const GLANCING = 1_000;
/** How often journal rows that are sealed are let go of, ms; they stay for longer than that in any case. */
const TRIMMING = 10_000;
/** How often it is asked whether another process has moved the history of a device, ms. */
const ASKING = 200;

/** The store of the design on PostgreSQL, which several processes may share; see docs/scale.md. */
export class PostgresStore implements Store {
  private readonly database: Database;
  private readonly settings: PostgresSettings;
  private readonly databaseClock: DatabaseClock;
  private readonly clock: ClockWatch;
  private readonly commits: Commits;
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly listeners = new Set<OthersListener>();
  /** Undefined while it is made anew. */
  private session: Session | undefined;
  /** Why there is none, where that did not succeed. */
  private why: string | undefined;
  private renewing: Promise<void> | undefined;
  private beating: Promise<void> | undefined;
  private said: { readonly reason: string; readonly at: number } | undefined;
  private closed = false;

  static async open(config: pg.PoolConfig, settings: Partial<PostgresSettings> = {}): Promise<PostgresStore> {
    const store = new PostgresStore(config, settings.now, {
      ...DEFAULT_SETTINGS,
      connections: 8,
      journalGrace: JOURNAL_GRACE,
      beatInterval: 2_000,
      ...settings,
    });
    try {
      store.session = await store.begin();
    } catch (error) {
      await store.database.close();
      throw error;
    }
    store.clock.doubt(store.current().catalogue.latest.newest());
    store.startTimers();
    return store;
  }

  /** @param own the clock of a test. */
  private constructor(config: pg.PoolConfig, own: (() => number) | undefined, settings: PostgresSettings) {
    this.databaseClock = new DatabaseClock((difference) => settings.onProblem(difference));
    this.settings = { ...settings, now: own ?? (() => this.databaseClock.now()) };
    this.database = new Database(config, settings.connections);
    const { now } = this.settings;
    this.clock = new ClockWatch(now);
    this.commits = new Commits(
      {
        current: () => this.current(),
        renew: () => this.renew(),
        replaceWriter: (session) => this.replaceWriter(session),
      },
      now,
    );
  }

  async append(batch: SampleBatch): Promise<void> {
    this.assertOpen();
    if (countOf(batch) === 0) return;
    const { sealer } = this.current();
    assertStorable(batch, this.oldestTimestamp());
    if (!sealer.hasRoom()) await sealer.makeRoom();
    await this.commits.add(batch);
  }

  refusedGroups(samples: SampleBatch, ends: ArrayLike<number>): Promise<RefusedGroup[]> {
    return this.current().catalogue.admission.refusedGroups(samples, ends);
  }

  oldestTimestamp(): number {
    return this.current().retention.oldestTimestamp(this.trustedNow());
  }

  now(): number {
    return this.settings.now();
  }

  trustedNow(): number {
    return this.clock.trustedNow();
  }

  unitOf(sample: Pick<Sample, 'deviceName' | 'metricName' | 'labels'>): string | null | undefined {
    return this.current().catalogue.unitOf(sample);
  }

  hasUnits(group: SeriesGroup): boolean {
    return this.current().catalogue.hasUnits(group);
  }

  async seriesOf(names: readonly NamedSeries[]): Promise<(Series | undefined)[]> {
    const { catalogue } = await this.upToDate();
    return names.map((one) => catalogue.knownEntryOfNamed(one)?.series);
  }

  async findSeries(selector: Selector): Promise<readonly Series[]> {
    return (await this.upToDate()).catalogue.sorted.describe(selector);
  }

  async devices(selector: DeviceSelector = {}): Promise<readonly StoredDevice[]> {
    return new PgDevices(this.database, await this.upToDate()).select(selector);
  }

  async device(name: string): Promise<StoredDevice | undefined> {
    return new PgDevices(this.database, await this.upToDate()).get(name);
  }

  async describeDevice(
    name: string,
    change: (before: DeviceDescription) => Partial<DeviceDescription>,
  ): Promise<StoredDevice | undefined> {
    return new PgDevices(this.database, await this.upToDate()).describe(name, change);
  }

  async renameDevice(name: string, newName: string): Promise<StoredDevice | undefined> {
    return new PgDevices(this.database, await this.upToDate()).rename(name, newName);
  }

  async mergeDevices(
    name: string,
    into: string,
    describe: (source: DeviceDescription, target: DeviceDescription) => DeviceDescription,
  ): Promise<StoredDevice | undefined> {
    const { catalogue } = await this.upToDate();
    const source = catalogue.device(name);
    if (!source) return undefined;
    if (name !== into) {
      // What is still on its way to the source has to be there.
      await this.moved(source.id);
      const joined = await this.commits.inTurn(() => this.current().merges.join(name, into, describe));
      if (joined === undefined) return undefined;
      await this.moved(joined);
    }
    return this.device(into);
  }

  async deleteSeries(deviceName: string, seriesId: number): Promise<boolean> {
    return new PgDevices(this.database, await this.upToDate()).deleteSeries(deviceName, seriesId);
  }

  async deleteDevice(name: string): Promise<boolean> {
    return new PgDevices(this.database, await this.upToDate()).delete(name);
  }

  async *readSamples(
    series: readonly Series[],
    range: TimeRange,
    options: ReadOptions = {},
  ): AsyncGenerator<SeriesSamples> {
    yield* (await this.upToDate()).queries.samples(series, range, options);
  }

  async tiers(deviceName: string, range: TimeRange): Promise<readonly Tier[]> {
    return (await this.upToDate()).queries.tiers(deviceName, range);
  }

  async summarize(series: readonly Series[], range: TimeRange): Promise<SeriesSummary[]> {
    return (await this.upToDate()).queries.summaries(series, range);
  }

  async *summarizeInParts(series: readonly Series[], range: TimeRange): AsyncGenerator<SummaryPart> {
    yield* (await this.upToDate()).queries.summariesInParts(series, range);
  }

  async *readSteps(series: readonly Series[], query: StepQuery): AsyncGenerator<SeriesSteps> {
    yield* (await this.upToDate()).queries.steps(series, query);
  }

  async latest(series: readonly Series[]): Promise<SeriesLatest[]> {
    const { queries, retention } = await this.upToDate();
    return queries.latest(series, retention.oldestKept());
  }

  async maintain(): Promise<void> {
    this.assertOpen();
    await this.current().maintain();
  }

  async health(): Promise<StoreHealth> {
    const { catalogue, heads, damaged } = await this.upToDate();
    const [journal] = await this.database.rows<{ rows: number; bytes: number }>(
      'SELECT count(*) AS rows, coalesce(sum(octet_length(data)), 0)::bigint AS bytes FROM journal',
    );
    const size = (await this.database.isSpread())
      ? 'CASE WHEN c.oid IN (SELECT logicalrelid FROM pg_dist_partition) THEN citus_total_relation_size(c.oid) ELSE pg_total_relation_size(c.oid) END'
      : 'pg_total_relation_size(c.oid)';
    const [{ bytes }] = await this.database.rows<{ bytes: number }>(
      `SELECT coalesce(sum(${size}), 0)::bigint AS bytes FROM pg_class c
       WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace`,
    );
    return {
      devices: catalogue.deviceCount,
      series: catalogue.seriesCount,
      journalRows: journal.rows,
      journalBytes: journal.bytes,
      heads: heads.count,
      headSamples: heads.size,
      damaged: damaged.count,
      bytes,
      freeBytes: 0,
    };
  }

  async ping(): Promise<void> {
    this.assertOpen();
    await this.database.urgently('SELECT 1');
    this.current();
  }

  hearOthers(listener: OthersListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async holds(work: string): Promise<boolean> {
    this.assertOpen();
    return this.current().leases.holds(work);
  }

  async noteDone(work: string, time: number): Promise<void> {
    this.assertOpen();
    await this.current().leases.noteDone(work, time);
  }

  async lastDone(work: string): Promise<number | undefined> {
    this.assertOpen();
    return this.current().leases.lastDone(work);
  }

  get processes(): number {
    return this.session?.leases.living ?? 1;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    for (const timer of this.timers) clearInterval(timer);
    this.closed = true;
    await this.commits.idle();
    await this.beating?.catch(() => undefined);
    await this.renewing?.catch(() => undefined);
    const { session } = this;
    if (session) {
      await session.end();
      // Where the database is away, its leases run out by themselves.
      await session.leases.releaseAll().catch(() => undefined);
      await session.writer.end().catch(() => undefined);
    }
    await this.database.close();
  }

  private begin(): Promise<Session> {
    const hear: Hear = (samples, age) => {
      for (const listener of this.listeners) listener.hear(samples, age);
    };
    return Session.begin(this.database, this.settings, hear, this.settings.journalGrace, this.databaseClock);
  }

  /** @throws StoreUnavailableError while what was missed is being read. */
  private current(): Session {
    if (!this.session) {
      throw new StoreUnavailableError(this.why ?? 'what other processes took is being read; in a moment it is there');
    }
    return this.session;
  }

  /** The session once it has all that was acknowledged before the call, by any process. */
  private async upToDate(): Promise<Session> {
    this.assertOpen();
    const session = this.current();
    if (session.isBehind) await this.renew();
    else {
      try {
        await session.catchUp();
      } catch (error) {
        if (session.isBehind) {
          await this.renew();
          return this.current();
        }
        if (error instanceof StoreUnavailableError) throw error;
        throw new StoreUnavailableError(`what other processes took cannot be read: ${reasonOf(error)}`, {
          cause: error,
        });
      }
    }
    return this.current();
  }

  /** Resolves once no hours are on their way from a device or to it; it may be another process that moves them. */
  private async moved(deviceId: number): Promise<void> {
    for (;;) {
      this.assertOpen();
      try {
        const { merges } = this.current();
        await merges.finish();
        if (!(await merges.isMoving(deviceId))) return;
      } catch (error) {
        if (!(error instanceof StoreUnavailableError)) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, ASKING));
    }
  }

  /** Gets another lease to write with, and all anew where something may have been missed. */
  private async replaceWriter(session: Session): Promise<void> {
    if (session !== this.session) return;
    try {
      // Under a lease that has run out others may have gone on, and in a database that was put back nothing is as it was.
      if (session.isBehind || (await session.writer.renew()) !== 'held') await this.renew();
      else await session.register();
    } catch (error) {
      // The next beat tries again.
      this.session = undefined;
      this.why = reasonOf(error);
    }
  }

  /** Reads everything anew. */
  private renew(): Promise<void> {
    this.renewing ??= (async () => {
      const before = this.session;
      this.session = undefined;
      try {
        await before?.end();
        await before?.writer.end();
        await before?.leases.releaseAll();
        this.session = await this.begin();
        this.why = undefined;
      } catch (error) {
        this.why = reasonOf(error);
        throw error;
      } finally {
        this.renewing = undefined;
      }
    })();
    return this.renewing;
  }

  private startTimers(): void {
    const { sealInterval, beatInterval } = this.settings;
    const every = (interval: number, act: () => Promise<void>): void => {
      this.timers.push(
        setInterval(() => {
          act().catch((error: unknown) => this.say(error));
        }, interval).unref(),
      );
    };
    if (beatInterval === 0) return;
    every(beatInterval, () => this.beat());
    const withSession = async (act: (session: Session) => Promise<void>): Promise<void> => {
      const { session } = this;
      if (session && !session.isBehind) await act(session);
    };
    every(GLANCING, () => withSession((session) => session.glance()));
    every(LISTENING, async () => {
      const isAwaited = [...this.listeners].some((listener) => listener.isWaiting());
      if (isAwaited) await withSession((session) => session.catchUp());
    });
    if (sealInterval === 0) return;
    every(TRIMMING, () => withSession((session) => session.trim()));
    every(sealInterval, () => withSession(({ sealer }) => sealer.run()));
    every(RETENTION_INTERVAL, () => this.upkeep());
  }

  /** The same problem once a minute. */
  private say(problem: unknown): void {
    const reason = reasonOf(problem);
    const now = performance.now();
    if (this.closed || (this.said?.reason === reason && now - this.said.at < 60_000)) return;
    this.said = { reason, at: now };
    this.settings.onProblem(problem);
  }

  private beat(): Promise<void> {
    this.beating ??= this.beatOnce().finally(() => {
      this.beating = undefined;
    });
    return this.beating;
  }

  private async beatOnce(): Promise<void> {
    const { session } = this;
    if (!session || session.isBehind) await this.renew();
    else if (!(await session.beat())) await this.renew();
  }

  /** As `maintain`, and deletes nothing while the clock is in doubt. */
  private async upkeep(): Promise<void> {
    const doubt = this.clock.doubt(this.current().catalogue.latest.newest());
    if (doubt !== undefined) this.settings.onProblem(doubt);
    else await this.maintain();
  }

  private assertOpen(): void {
    if (this.closed) throw new Error('the sample store is closed');
  }
}
