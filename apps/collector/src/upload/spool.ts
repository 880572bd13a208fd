import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import type Database from 'better-sqlite3';
import { isDamage, openSpoolFile, recoverSpoolFile, type OnDamage } from './spool-file.js';
import { freeBytesOf, SpoolReserve } from './spool-reserve.js';

/** A sample as the wire carries it. */
export interface WireSample {
  readonly device_name: string;
  readonly metric_name: string;
  readonly value: number;
  readonly unit?: string;
  readonly labels?: Readonly<Record<string, string>>;
  /** Unix milliseconds. */
  readonly timestamp: number;
}

/** At most 1,000 samples that travel together. */
export interface Batch {
  /** Grows with every batch and is never used again. */
  readonly sequence: number;
  readonly samples: number;
  /** Uploads that have failed. */
  readonly attempts: number;
  /** The latest timestamp in it, Unix milliseconds. */
  readonly newest: number;
  /** The body of the upload, `{"metrics": [ … ]}` in gzip. */
  readonly payload: Buffer;
}

export interface Quarantined {
  readonly sequence: number;
  readonly samples: number;
  /** When it was read, Unix milliseconds. */
  readonly created: number;
  readonly reason: string;
  /** The first of its samples; undefined where the payload cannot be read. */
  readonly example: WireSample | undefined;
}

/**
 * What the spool holds and what has gone through it since the file was made. Always, exactly:
 * generated = sent + evicted + dropped + pendingSamples + quarantinedSamples.
 */
export interface SpoolTotals {
  /** Samples that were ever added. */
  readonly generated: number;
  /** Samples that the api has acknowledged. */
  readonly sent: number;
  /** Samples that were given up: by a full spool, oldest first, by a damaged file, or where the disk took none. */
  readonly evicted: number;
  /** Quarantined samples that a person has dropped. */
  readonly dropped: number;
  readonly pendingBatches: number;
  readonly pendingSamples: number;
  readonly quarantinedBatches: number;
  readonly quarantinedSamples: number;
  /** Of all batches, compressed. */
  readonly bytes: number;
  /** When the oldest batch that waits was read, Unix milliseconds; undefined where none waits. */
  readonly oldest: number | undefined;
  /** When the api last acknowledged samples, Unix milliseconds to the second; undefined where it never has. */
  readonly lastSent: number | undefined;
}

/** How a source fares since it last changed; without secrets. */
export interface SourceState {
  readonly name: string;
  readonly ended: 'whole' | 'part' | 'failed';
  /** Since when its runs end so, Unix milliseconds. */
  readonly since: number;
  /** Why it failed; empty where it did not. */
  readonly reason: string;
  /** What could not be read or sent: the first of them. */
  readonly rejected: readonly { readonly part: string; readonly reason: string }[];
  /** How many there are. */
  readonly rejectedCount: number;
}

/** Samples that the api refused, by the reason that it gave. */
export type RefusedSamples = ReadonlyMap<string, readonly WireSample[]>;

export interface SpoolLimits {
  /** Of all payloads together; the oldest batch goes first. */
  readonly maxBytes: number;
  /** The spool stops growing where less than this is free on its disk. */
  readonly minFreeBytes: number;
}

export const MAX_SAMPLES = 1_000;

const COLUMNS = 'sequence, samples, attempts, newest, payload';

/** Beside the counters. */
const NOTE_LAST_SENT = `INSERT OR REPLACE INTO total VALUES ('lastSent', strftime('%s', 'now') * 1000)`;

type Counter = 'generated' | 'sent' | 'evicted' | 'dropped';

/**
 * The durable queue between sources and api: one SQLite file, one row a batch. What `add` has returned from survives
 * SIGKILL and power loss (WAL, synchronous=FULL). Every method is one transaction. Several processes may open the same
 * file: the collector, and the commands that look into its queue.
 *
 * What follows from an answer of the api survives a SIGKILL too, but a power loss only from the next `add` on: what is undone
 * is sent again, which changes nothing at the api, and each tick waits for the disk once.
 *
 *     add → pending ─ acknowledge → gone, counted as sent
 *              │  ├── split → two halves, pending
 *              │  ├── quarantine ⇄ release, or drop → gone, counted
 *              │  └── evicted by newer batches when the spool is full → gone, counted
 */
export class Spool {
  private db: Database.Database;
  /** The batch that is on its way; eviction leaves it alone. */
  private inFlight = 0;
  private closed = false;
  private readonly reserve: SpoolReserve;

  /**
   * Opens the file or makes it. A damaged file is set aside as `<file>.damaged-<time>`, never deleted, and what can be
   * read of it goes on in a new one.
   *
   * @param onDamage told what was found and saved; without it a damaged file is an error and stays where it is.
   * @param freeBytes of the disk of the file; a test gives its own.
   */
  constructor(
    private readonly file: string,
    private readonly limits: SpoolLimits,
    private readonly onDamage: OnDamage | undefined,
    private readonly freeBytes: (folder: string) => number = freeBytesOf,
  ) {
    mkdirSync(dirname(file), { recursive: true });
    this.db = openSpoolFile(file, onDamage);
    this.reserve = new SpoolReserve(file, limits.minFreeBytes, freeBytes);
    if (onDamage) this.reserve.keep();
  }

  /**
   * Queues samples, at most 1,000 a batch, in one commit. Makes room first where the spool is full.
   *
   * @param lost samples that never reached the spool, to be counted.
   * @returns how many older samples had to go.
   */
  add(samples: readonly WireSample[], now: number, lost = 0): number {
    const batches: ReturnType<typeof pack>[] = [];
    for (let start = 0; start < samples.length; start += MAX_SAMPLES) {
      batches.push(pack(samples.slice(start, start + MAX_SAMPLES)));
    }
    const evicted = this.transaction(() => {
      const needed = batches.reduce((sum, { payload }) => sum + payload.length, 0);
      const evicted = this.makeRoom(needed);
      for (const batch of batches) this.insert(batch, now);
      this.count('generated', samples.length + lost);
      this.count('evicted', lost);
      return evicted;
    });
    this.reserve.keep();
    return evicted;
  }

  /**
   * As `add`, for the samples that wait in memory when the collector ends: on a full disk they take the room that is held for
   * deletes.
   */
  addLast(samples: readonly WireSample[], now: number, lost: number): number {
    return this.withReserve(() => this.add(samples, now, lost));
  }

  /** Counts samples that will never reach the spool. */
  countLost(samples: number): void {
    this.withReserve(() =>
      this.transaction(() => {
        this.count('generated', samples);
        this.count('evicted', samples);
      }),
    );
  }

  /** The oldest batch after this sequence that waits, if its samples are no newer than `until`. */
  nextAfter(sequence: number, until: number): Batch | undefined {
    return this.take(
      `SELECT ${COLUMNS} FROM batch WHERE state = 'pending' AND sequence > ? AND newest <= ? ORDER BY sequence LIMIT 1`,
      sequence,
      until,
    );
  }

  /** The batch that waits longest, those with fewer failures first, so that none blocks the others. */
  nextOfAll(until: number): Batch | undefined {
    return this.take(
      `SELECT ${COLUMNS} FROM batch WHERE state = 'pending' AND newest <= ? ORDER BY attempts, sequence LIMIT 1`,
      until,
    );
  }

  /** The highest sequence that was ever given; 0 in a new spool. */
  get lastSequence(): number {
    return this.look(() => {
      const row = this.db.prepare(`SELECT seq FROM sqlite_sequence WHERE name = 'batch'`).pluck().get();
      return (row as number | undefined) ?? 0;
    });
  }

  /**
   * The api has the batch on disk, all but some samples.
   *
   * @param refused samples that go to quarantine.
   * @param early samples that wait in a batch of their own.
   */
  acknowledge(sequence: number, refused: RefusedSamples = new Map(), early: readonly WireSample[] = []): void {
    this.replace(sequence, (batch) => {
      let kept = early.length;
      if (kept > 0) this.insert(pack(early), batch.created);
      for (const [reason, samples] of refused) {
        this.insert(pack(samples), batch.created, reason);
        kept += samples.length;
      }
      this.count('sent', batch.samples - kept);
      this.db.prepare(NOTE_LAST_SENT).run();
    });
  }

  /** Replaces a batch of several samples by its halves. Throws, and changes nothing, where its payload is damaged. */
  split(sequence: number): void {
    this.replace(sequence, (batch) => {
      const samples = unpack(batch.payload);
      const middle = Math.ceil(samples.length / 2);
      this.insert(pack(samples.slice(0, middle)), batch.created);
      this.insert(pack(samples.slice(middle)), batch.created);
    });
  }

  quarantine(sequence: number, reason: string): void {
    const sql = `UPDATE batch SET state = 'quarantined', reason = ? WHERE sequence = ?`;
    this.withoutSync(() => this.run(sql, reason, sequence));
  }

  /** Counts a failed upload. */
  failed(sequence: number): void {
    this.withoutSync(() => this.run('UPDATE batch SET attempts = attempts + 1 WHERE sequence = ?', sequence));
  }

  quarantined(): Quarantined[] {
    return this.look(() => {
      const rows = this.db.prepare(`SELECT * FROM batch WHERE state = 'quarantined' ORDER BY sequence`).all();
      return (rows as Row[]).map(({ sequence, samples, created, reason, payload }) => {
        return { sequence, samples, created, reason: reason ?? '', example: exampleOf(payload) };
      });
    });
  }

  /** Lets a quarantined batch try again. False where none has this sequence. */
  release(sequence: number): boolean {
    const sql = `UPDATE batch SET state = 'pending', reason = NULL, attempts = 0
                 WHERE sequence = ? AND state = 'quarantined'`;
    return this.run(sql, sequence) > 0;
  }

  /** Deletes a quarantined batch. False where none has this sequence. */
  drop(sequence: number): boolean {
    return this.transaction(() => {
      const sql = `DELETE FROM batch WHERE sequence = ? AND state = 'quarantined' RETURNING samples`;
      const samples = this.db.prepare(sql).pluck().get(sequence) as number | undefined;
      if (samples === undefined) return false;
      this.count('dropped', samples);
      return true;
    });
  }

  totals(): SpoolTotals {
    return this.look(() => {
      const held = this.db.prepare('SELECT batches, samples, bytes FROM held WHERE state = ?');
      const pending = held.get('pending') as Held;
      const quarantined = held.get('quarantined') as Held;
      const oldest = this.db.prepare(
        `SELECT created FROM batch NOT INDEXED WHERE state = 'pending' ORDER BY sequence LIMIT 1`,
      );
      const counters = this.db.prepare('SELECT name, value FROM total').all() as { name: string; value: number }[];
      const total = (name: Counter | 'lastSent'): number =>
        counters.find((counter) => counter.name === name)?.value ?? 0;
      return {
        generated: total('generated'),
        sent: total('sent'),
        evicted: total('evicted'),
        dropped: total('dropped'),
        pendingBatches: pending.batches,
        pendingSamples: pending.samples,
        quarantinedBatches: quarantined.batches,
        quarantinedSamples: quarantined.samples,
        bytes: pending.bytes + quarantined.bytes,
        oldest: oldest.pluck().get() as number | undefined,
        lastSent: total('lastSent') || undefined,
      };
    });
  }

  /** Keeps how a source fares. The next commit of samples takes it to the disk. */
  noteSource(state: SourceState): void {
    const sql = 'INSERT OR REPLACE INTO source VALUES (?, ?)';
    this.withoutSync(() => this.run(sql, state.name, JSON.stringify(state)));
  }

  /** As the collector last noted them, also of sources that the configuration has no more. */
  sources(): SourceState[] {
    return this.look(() => {
      const rows = this.db.prepare('SELECT state FROM source ORDER BY name').pluck().all() as string[];
      return rows.map((row) => JSON.parse(row) as SourceState);
    });
  }

  close(): void {
    this.closed = true;
    this.db.close();
  }

  /** Runs `insteadOf` in place of a batch, unless eviction or a person has taken the batch meanwhile. */
  private replace(sequence: number, insteadOf: (batch: Row) => void): void {
    this.withoutSync(() =>
      this.transaction(() => {
        const batch = this.db.prepare('DELETE FROM batch WHERE sequence = ? RETURNING *').get(sequence) as
          Row | undefined;
        if (batch) insteadOf(batch);
      }),
    );
  }

  private take(sql: string, ...values: number[]): Batch | undefined {
    const batch = this.look(() => this.db.prepare(sql).get(...values) as Batch | undefined);
    this.inFlight = batch?.sequence ?? 0;
    return batch;
  }

  private insert({ payload, samples, newest }: ReturnType<typeof pack>, created: number, reason?: string): void {
    this.db
      .prepare(
        `INSERT INTO batch (state, created, newest, samples, bytes, reason, payload) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        reason === undefined ? 'pending' : 'quarantined',
        created,
        newest,
        samples,
        payload.length,
        reason ?? null,
        payload,
      );
  }

  /** Evicts the oldest batches until `needed` bytes fit. Freed pages are used again, so a full disk bounds growth only. */
  private makeRoom(needed: number): number {
    const bytes = (this.db.prepare('SELECT sum(bytes) FROM held').pluck().get() as number) + needed;
    const growth = Math.max(0, this.freeBytes(dirname(this.file)) - this.limits.minFreeBytes);
    const allowed = Math.min(this.limits.maxBytes, bytes - needed + growth);
    let excess = bytes - allowed;
    let evicted = 0;
    const oldest = this.db.prepare('SELECT sequence, samples, bytes FROM batch WHERE sequence <> ? ORDER BY sequence');
    const victims: number[] = [];
    for (const row of excess > 0 ? (oldest.iterate(this.inFlight) as Iterable<Row>) : []) {
      if (excess <= 0) break;
      victims.push(row.sequence);
      excess -= row.bytes;
      evicted += row.samples;
    }
    for (const sequence of victims) this.db.prepare('DELETE FROM batch WHERE sequence = ?').run(sequence);
    this.count('evicted', evicted);
    return evicted;
  }

  private count(name: Counter, samples: number): void {
    if (samples === 0) return;
    const sql = 'INSERT INTO total VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + excluded.value';
    this.db.prepare(sql).run(name, samples);
  }

  private run(sql: string, ...values: (string | number)[]): number {
    return this.transaction(() => this.db.prepare(sql).run(...values).changes);
  }

  /** Does not wait for the disk: the next commit of samples does, and takes this one along. */
  private withoutSync(work: () => void): void {
    this.openAgain();
    this.db.pragma('synchronous = NORMAL');
    try {
      this.withReserve(work);
    } finally {
      if (this.db.open) this.db.pragma('synchronous = FULL');
    }
    this.reserve.keep();
  }

  /** Runs what makes room, also where another program has filled the disk. */
  private withReserve<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isFull(error) || !this.reserve.giveUp()) throw error;
      return work();
    }
  }

  /** A transaction that only reads. Nobody waits for it: a long list must not keep the collector from writing. */
  private look<T>(work: () => T): T {
    return this.transaction(work, 'deferred');
  }

  /** One transaction. If the file turns out to be damaged, what can be saved is saved and the transaction runs again. */
  private transaction<T>(work: () => T, kind: 'immediate' | 'deferred' = 'immediate'): T {
    this.openAgain();
    try {
      return this.db.transaction(work)[kind]();
    } catch (error) {
      if (!isDamage(error) || !this.onDamage) throw error;
      this.db.close();
      this.db = recoverSpoolFile(this.file, error, this.onDamage);
      return this.db.transaction(work)[kind]();
    }
  }

  /** Where saving what was in a damaged file has failed, as on a full disk. */
  private openAgain(): void {
    if (!this.db.open && !this.closed) this.db = openSpoolFile(this.file, this.onDamage);
  }
}

/** A log that cannot grow is an input and output error on some systems. */
const isFull = (error: unknown): boolean => /^SQLITE_(FULL|IOERR)/.test(String((error as { code?: unknown }).code));

/** What batches of one state hold together; kept by triggers, as counting a long queue takes too long. */
interface Held {
  readonly batches: number;
  readonly samples: number;
  readonly bytes: number;
}

interface Row extends Batch {
  readonly created: number;
  readonly bytes: number;
  readonly reason: string | null;
}

function pack(samples: readonly WireSample[]): { payload: Buffer; samples: number; newest: number } {
  const newest = samples.reduce((latest, { timestamp }) => Math.max(latest, timestamp), 0);
  return { payload: gzipSync(JSON.stringify({ metrics: samples }), { level: 1 }), samples: samples.length, newest };
}

/** The samples of a batch. Throws where the payload is damaged. */
export function unpack(payload: Buffer): WireSample[] {
  return (JSON.parse(gunzipSync(payload).toString()) as { metrics: WireSample[] }).metrics;
}

function exampleOf(payload: Buffer): WireSample | undefined {
  try {
    return unpack(payload)[0];
  } catch {
    return undefined;
  }
}
