import type pg from 'pg';
import type { DataSource } from 'typeorm';
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
}

/** On a DataSource of `openDataSource`. */
export const sqlOf = (dataSource: DataSource): Sql =>
  dataSource.options.type === 'postgres' ? postgresSql(dataSource) : sqliteSql(dataSource);

/** On the connection itself: only its own transactions are safe from those of other callers. */
function sqliteSql(dataSource: DataSource): Sql {
  const db = connectionOf(dataSource);
  return {
    rows: async <T>(sql: string, ...values: readonly unknown[]) => {
      const statement = db.prepare(sql);
      if (statement.reader) return statement.all(...values) as T[];
      statement.run(...values);
      return [];
    },
    together: async (statements) =>
      db.transaction(() => {
        for (const [sql, ...values] of statements) db.prepare(sql).run(...values);
      })(),
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
  return {
    rows: async <T>(...statement: Statement) => {
      try {
        return (await run(pool, statement)).rows as T[];
      } catch (error) {
        throw asUnavailable(error);
      }
    },
    together: async (statements) => {
      const client = await pool.connect().catch((error: unknown) => {
        throw asUnavailable(error);
      });
      try {
        await client.query('BEGIN');
        for (const statement of statements) await run(client, statement);
        await client.query('COMMIT');
        client.release();
      } catch (error) {
        const undone = await client.query('ROLLBACK').then(
          () => true,
          () => false,
        );
        client.release(!undone);
        throw asUnavailable(error);
      }
    },
  };
}
