import type { PositionLog, Through } from './position-log.js';
import type { Database } from './database.js';
import { LEASE_SECONDS } from './writer.js';

/** Devices are shared out by their number. */
export const SHARDS = 16;

export const shardOf = (deviceId: number): number => deviceId % SHARDS;

const UNTIL = `statement_timestamp() + interval '${LEASE_SECONDS} s'`;
const nameOf = (shard: number): string => `shard ${shard}`;

/** What one of several processes does at a time: seal the devices of a shard, and what runs on schedule. */
export class Leases {
  /** Shards that this process holds. */
  readonly shards = new Set<number>();
  /** Writers whose leases held when they were looked at last. */
  living = 1;
  /** Other work that this process holds, by name. */
  private readonly works = new Set<string>();
  private readonly asked = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly holder: number,
  ) {}

  /**
   * Renews what is held, and shares out what is free among the writers that live.
   *
   * @param onTaken prepares shards that are new here, before they count.
   */
  async balance(onTaken: (shards: readonly number[]) => Promise<void>): Promise<void> {
    const [{ live }] = await this.database.urgently<{ live: number }>(
      'SELECT count(*) AS live FROM writer WHERE until > statement_timestamp()',
    );
    this.living = Math.max(1, live);
    await this.renew();
    const share = Math.ceil(SHARDS / this.living);
    const surplus = [...this.shards].slice(share);
    if (surplus.length > 0) await this.release(surplus.map(nameOf));
    const wanted = share - this.shards.size;
    if (wanted > 0) {
      const all = Array.from({ length: SHARDS }, (_, shard) => nameOf(shard));
      const taken = (await this.take(all, wanted)).map((name) => Number(name.split(' ')[1]));
      if (taken.length > 0) {
        await onTaken(taken);
        for (const shard of taken) this.shards.add(shard);
      }
    }
    for (const name of await this.take(
      [...this.asked].filter((one) => !this.works.has(one)),
      SHARDS,
    ))
      this.works.add(name);
  }

  /** Whether this process is the one that does a work now; it is asked for from the first question on. */
  async holds(work: string): Promise<boolean> {
    if (!this.asked.has(work)) {
      this.asked.add(work);
      for (const name of await this.take([work], 1)) this.works.add(name);
    }
    return this.works.has(work);
  }

  /** Takes note of up to when a work is done, as long as this process holds it. */
  async noteDone(work: string, time: number): Promise<void> {
    await this.database.run('UPDATE lease SET through = $3 WHERE name = $1 AND holder = $2', [
      work,
      this.holder,
      JSON.stringify({ done: time }),
    ]);
  }

  async lastDone(work: string): Promise<number | undefined> {
    const [row] = await this.database.rows<{ through: string }>('SELECT through FROM lease WHERE name = $1', [work]);
    return row && (JSON.parse(row.through) as { done?: number }).done;
  }

  /** What has to hold while pieces of devices are written, within the transaction. */
  static readonly CHECK = `SELECT name FROM lease WHERE name = ANY($1) AND holder = $2 AND until > statement_timestamp() FOR SHARE`;

  namesOf(deviceIds: Iterable<number>): string[] {
    return [...new Set(Array.from(deviceIds, (id) => nameOf(shardOf(id))))];
  }

  /** Says of held shards through which journal rows all is sealed. */
  async publish(through: ReadonlyMap<number, Through>): Promise<void> {
    if (through.size === 0) return;
    await this.database.run(
      `UPDATE lease SET through = n.through FROM unnest($1::text[], $2::text[]) AS n (name, through)
       WHERE lease.name = n.name AND holder = $3 AND until > statement_timestamp()`,
      [Array.from(through.keys(), nameOf), Array.from(through.values(), (one) => JSON.stringify(one)), this.holder],
    );
  }

  /** Deletes journal rows that all shards have sealed and that are older than `grace` ms, and gives how many there were. */
  async trim(grace: number, log: PositionLog): Promise<number> {
    const rows = await this.database.rows<{ through: string }>(`SELECT through FROM lease WHERE name LIKE 'shard %'`);
    if (rows.length < SHARDS) return 0;
    let deleted = 0;
    const all = rows.map(({ through }) => JSON.parse(through) as Through);
    // What is gone from the table has no rows.
    const writers = await this.database.rows<{ id: number }>('SELECT id FROM writer');
    for (const { id: writer } of writers) {
      const number = all.reduce((least, through) => Math.min(least, through[writer] ?? 0), Infinity);
      if (number === 0) continue;
      deleted += await this.database.run(
        `DELETE FROM journal WHERE writer = $1 AND number <= $2
         AND at < (extract(epoch FROM statement_timestamp()) * 1000000)::bigint - $3 * 1000::bigint`,
        [writer, number, grace],
      );
      const [{ first }] = await this.database.rows<{ first: number | null }>(
        'SELECT min(number) AS first FROM journal WHERE writer = $1',
        [writer],
      );
      log.forget(writer, (first ?? number + 1) - 1);
    }
    await this.database.run(
      `DELETE FROM writer WHERE until < statement_timestamp() - interval '5 minutes'
       AND NOT EXISTS (SELECT 1 FROM journal WHERE journal.writer = writer.id)`,
    );
    return deleted;
  }

  async releaseAll(): Promise<void> {
    await this.release([...Array.from(this.shards, nameOf), ...this.works]);
  }

  private async renew(): Promise<void> {
    const rows = await this.database.urgently<{ name: string }>(
      `UPDATE lease SET until = ${UNTIL} WHERE holder = $1 AND until > statement_timestamp() RETURNING name`,
      [this.holder],
    );
    const held = new Set(rows.map(({ name }) => name));
    for (const shard of this.shards) if (!held.has(nameOf(shard))) this.shards.delete(shard);
    for (const work of this.works) if (!held.has(work)) this.works.delete(work);
  }

  private async take(names: readonly string[], most: number): Promise<string[]> {
    if (names.length === 0) return [];
    const free = await this.database.urgently<{ name: string; is_new: boolean }>(
      `SELECT n.name, lease.name IS NULL AS is_new FROM unnest($1::text[]) AS n (name)
       LEFT JOIN lease ON lease.name = n.name
       WHERE lease.name IS NULL OR until < statement_timestamp()`,
      [names],
    );
    const wanted = free.slice(0, most);
    if (wanted.length === 0) return [];
    const unknown = wanted.filter((one) => one.is_new).map(({ name }) => name);
    if (unknown.length > 0) {
      await this.database.urgently(
        `INSERT INTO lease (name, holder, until) SELECT name, 0, '-infinity' FROM unnest($1::text[]) AS n (name)
         ON CONFLICT (name) DO NOTHING`,
        [unknown.sort()],
      );
    }
    const taken = await this.database.urgently<{ name: string }>(
      `UPDATE lease SET holder = $2, until = ${UNTIL} WHERE name = ANY($1) AND until < statement_timestamp()
       RETURNING name`,
      [wanted.map(({ name }) => name), this.holder],
    );
    return taken.map(({ name }) => name);
  }

  private async release(names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.works.delete(name);
      if (name.startsWith('shard ')) this.shards.delete(Number(name.split(' ')[1]));
    }
    await this.database.urgently(`UPDATE lease SET until = '-infinity' WHERE holder = $1 AND name = ANY($2)`, [
      this.holder,
      names,
    ]);
  }
}
