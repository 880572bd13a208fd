import pg from 'pg';
import type { ByteWriter } from '../columnar/codec/bytes.js';
import { prepareConnection } from './prepare-connection.js';
import { RowsAsBytes, type Statement } from './rows-as-bytes.js';
import { transaction } from './transaction.js';
import { asUnavailable } from './unavailable.js';

/** Statements of one transaction. */
export interface Transaction {
  rows<T>(sql: string, values?: readonly unknown[]): Promise<T[]>;
  /** Gives how many rows it changed. */
  run(sql: string, values?: readonly unknown[]): Promise<number>;
}

/** How long an answer may take before the connection is given up, ms: what is lost on the way gives none. */
const LONGEST = 30_000;

/** The same for a table that is vacuumed, ms. */
const LONGEST_VACUUM = 3_600_000;

const INT8 = 20;
const BYTEA = 17;

type Parse = (text: string) => unknown;

/** Integers as numbers: none here is beyond 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number): Parse => {
    if (oid === INT8) return Number;
    if (oid === BYTEA) return (hex) => Buffer.from(hex.slice(2), 'hex');
    return pg.types.getTypeParser(oid, 'text') as Parse;
  }) as pg.CustomTypesConfig['getTypeParser'],
};

/** Connections to one database. What says that it cannot be used now is a StoreUnavailableError. */
export class Database {
  private readonly pool: pg.Pool;
  /** Beside the others, so that reads never keep a commit or a lease waiting. */
  private readonly urgent: pg.Pool;
  private spread: boolean | undefined;

  constructor(config: pg.PoolConfig, size: number) {
    const shared = { ...config, types, keepAlive: true, query_timeout: LONGEST, verify: prepareConnection };
    this.pool = new pg.Pool({ ...shared, max: size });
    this.urgent = new pg.Pool({ ...shared, max: 2 });
    // An idle connection that breaks is made anew when it is needed, and only then is that of interest.
    for (const pool of [this.pool, this.urgent]) pool.on('error', () => undefined);
  }

  /** Prepared under `name`, if it has one. */
  async rows<T>(sql: string, values: readonly unknown[] = [], name?: string): Promise<T[]> {
    return (await query(this.pool, sql, values, name)).rows as T[];
  }

  async run(sql: string, values: readonly unknown[] = []): Promise<number> {
    return (await query(this.pool, sql, values)).rowCount ?? 0;
  }

  /** What statements give that go to the server together, as bytes; see `fieldsOf`. Gives for each where its rows end. */
  async rowsAsBytes(statements: readonly Statement[], into: ByteWriter): Promise<readonly number[]> {
    const rows = new RowsAsBytes(statements, into);
    // The types have what a client gives for one of these.
    const query = this.pool.query.bind(this.pool) as unknown as (query: pg.Submittable) => Promise<unknown>;
    await query(rows).catch((error: unknown) => {
      throw asUnavailable(error);
    });
    return rows.ends;
  }

  /** A statement that waits for no read; prepared under `name`, if it has one. */
  async urgently<T>(sql: string, values: readonly unknown[] = [], name?: string): Promise<T[]> {
    return (await query(this.urgent, sql, values, name)).rows as T[];
  }

  /** All that `work` does, or nothing; nothing where it gives `UNDONE`. */
  transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.transactionOn(this.pool, work);
  }

  /** The same for work that waits for other reads of this process. */
  urgentTransaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return this.transactionOn(this.urgent, work);
  }

  private transactionOn<T>(pool: pg.Pool, work: (transaction: Transaction) => Promise<T>): Promise<T> {
    return transaction(pool, (client) =>
      work({
        rows: async <R>(sql: string, values: readonly unknown[] = []) => (await query(client, sql, values)).rows as R[],
        run: async (sql, values = []) => (await query(client, sql, values)).rowCount ?? 0,
      }),
    );
  }

  /** Gives the room of deleted rows at the end of a table back to the disk. */
  async giveBackRoom(table: string): Promise<void> {
    const vacuum: pg.QueryConfig & { query_timeout: number } = {
      text: `VACUUM ${table}`,
      query_timeout: LONGEST_VACUUM,
    };
    await this.pool.query(vacuum).catch((error: unknown) => {
      throw asUnavailable(error);
    });
  }

  /** Whether the tables may be spread over nodes, by Citus. */
  async isSpread(): Promise<boolean> {
    this.spread ??= (await this.rows(`SELECT 1 FROM pg_extension WHERE extname = 'citus'`)).length > 0;
    return this.spread;
  }

  async close(): Promise<void> {
    await Promise.all([this.pool.end(), this.urgent.end()]);
  }
}

async function query(
  on: pg.Pool | pg.PoolClient,
  text: string,
  values: readonly unknown[],
  name?: string,
): Promise<pg.QueryResult> {
  try {
    return await on.query({ text, values: values as unknown[], ...(name !== undefined && { name }) });
  } catch (error) {
    throw asUnavailable(error);
  }
}
