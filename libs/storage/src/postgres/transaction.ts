import type pg from 'pg';
import { asUnavailable } from './unavailable.js';

/** What a transaction gives that is to leave nothing behind. */
export const UNDONE = Symbol('undone');

/** All that `work` does on its connection, or nothing; nothing where it gives `UNDONE`. */
export async function transaction<T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => {
    throw asUnavailable(error);
  });
  let isLost = false;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query(result === UNDONE ? 'ROLLBACK' : 'COMMIT');
    return result;
  } catch (error) {
    isLost = await client.query('ROLLBACK').then(
      () => false,
      () => true,
    );
    throw asUnavailable(error);
  } finally {
    client.release(isLost);
  }
}
