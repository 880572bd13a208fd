import { Slices } from '@device-metrics/domain';
import type pg from 'pg';
import type { DataSource } from 'typeorm';
import { transaction } from './postgres/transaction.js';
import { asUnavailable } from './postgres/unavailable.js';
import { connectionOf } from './sqlite/data-source.js';

/** A statement that SQLite and PostgreSQL both take, with `?` for each value. */
export type Statement = readonly [sql: string, ...values: readonly unknown[]];

/** Runs statements on either database. Names in double quotes keep the case of their letters on both. */
export interface Sql {
  /** The rows that a statement gives. */
  rows<T>(...statement: Statement): Promise<T[]>;
  /** Runs all of them, or none. */
  together(statements: readonly Statement[]): Promise<void>;
  /**
   * Runs parts in their order, each of them whole or not at all. Where they are very many others get their turn between them, and a
   * crash may leave the first of them; it does so in SQLite only. All of them are on disk when it resolves.
   */
  inParts(parts: Iterable<readonly Statement[]>): Promise<void>;
  /** Does work while no other process does any under the same number. Within a process the caller sees to that. */
  alone<T>(lock: number, work: () => Promise<T>): Promise<T>;
}

/** On a DataSource of `openDataSource`. */
export const sqlOf = (dataSource: DataSource): Sql =>
  dataSource.options.type === 'postgres' ? postgresSql(dataSource) : sqliteSql(dataSource);

/** Statements of parts that one transaction of SQLite runs, about: a millisecond. */
const AT_ONCE = 100;

/** On the connection itself: only its own transactions are safe from those of other callers. */
function sqliteSql(dataSource: DataSource): Sql {
  const db = connectionOf(dataSource);
  const runAll = db.transaction((statements: readonly Statement[]): void => {
    // Mostly they differ in their values only.
    const prepared = new Map<string, ReturnType<typeof db.prepare>>();
    for (const [sql, ...values] of statements) {
      const statement = prepared.get(sql) ?? db.prepare(sql);
      prepared.set(sql, statement);
      statement.run(...values);
    }
  });
  /** What comes behind them in the same file is flushed to the disk, and they with it. */
  const runUnflushed = (statements: readonly Statement[]): void => {
    db.pragma('synchronous = NORMAL');
    try {
      runAll(statements);
    } finally {
      db.pragma('synchronous = FULL');
    }
  };
  return {
    rows: async <T>(sql: string, ...values: readonly unknown[]) => {
      const statement = db.prepare(sql);
      if (statement.reader) return statement.all(...values) as T[];
      statement.run(...values);
      return [];
    },
    together: async (statements) => runAll(statements),
    inParts: async (parts) => {
      const slices = new Slices();
      let some: Statement[] = [];
      for (const part of parts) {
        if (some.length >= AT_ONCE) {
          runUnflushed(some);
          some = [];
          if (slices.isOver()) await slices.next();
        }
        for (const statement of part) some.push(statement);
      }
      runAll(some);
    },
    // The file is of one process.
    alone: (_, work) => work(),
  };
}

function postgresSql(dataSource: DataSource): Sql {
  const pool = (dataSource.driver as unknown as { master: pg.Pool }).master;
  const run = async (on: pg.Pool | pg.PoolClient, [sql, ...values]: Statement): Promise<pg.QueryResult> => {
    let place = 0;
    return on.query(
      sql.replace(/\?/g, () => `$${(place += 1)}`),
      [...values],
    );
  };
  const together = (statements: Iterable<Statement>): Promise<void> =>
    transaction(pool, async (client) => {
      for (const statement of statements) await run(client, statement);
    });
  return {
    rows: async <T>(...statement: Statement) => {
      try {
        return (await run(pool, statement)).rows as T[];
      } catch (error) {
        throw asUnavailable(error);
      }
    },
    together,
    inParts: (parts) => together(statementsOf(parts)),
    alone: (lock, work) =>
      transaction(pool, async (client) => {
        // A process that stops meanwhile does not keep the others waiting.
        await client.query(`SET LOCAL idle_in_transaction_session_timeout = '10s'; SET LOCAL lock_timeout = '10s'`);
        await client.query('SELECT pg_advisory_xact_lock($1)', [lock]);
        return work();
      }),
  };
}

function* statementsOf(parts: Iterable<readonly Statement[]>): Generator<Statement> {
  for (const part of parts) yield* part;
}
