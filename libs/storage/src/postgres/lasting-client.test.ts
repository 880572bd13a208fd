import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { dataSourceOptions } from '../data-source.js';
import { Database } from './database.js';
import { transaction } from './transaction.js';

/** Authentication is done, and the server waits for a statement; as the protocol of PostgreSQL has it. */
const READY = Buffer.from('520000000800000000' + '5a0000000549', 'hex');
const DONE = Buffer.from('430000000953455400' + '5a0000000549', 'hex');

describe('a connection that breaks', () => {
  let server: Server;
  let statements: number;
  /** How many statements a connection answers before it breaks. */
  let answers: number;
  let config: pg.PoolConfig;

  beforeEach(async () => {
    statements = 0;
    server = createServer((socket) => {
      let left = answers;
      socket.once('data', () => {
        socket.write(READY);
        socket.on('data', () => {
          statements += 1;
          left -= 1;
          if (left < 0) socket.destroy();
          else socket.write(DONE, () => left === 0 && socket.destroy());
        });
      });
      socket.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    config = (dataSourceOptions(`postgres://x@127.0.0.1:${port}/x`) as { extra: pg.PoolConfig }).extra;
  });
  afterEach(() => new Promise<void>((resolve) => server.close(() => resolve())));

  it.each([0, 1])('after %i statements ends no process: the next statement makes another', async (count) => {
    answers = count;
    const database = new Database(config, 1);
    for (let made = 1; made <= 3; made += 1) {
      await expect(database.rows('SELECT 1')).rejects.toThrow('PostgreSQL cannot be reached');
      expect(statements).toBeGreaterThanOrEqual(made);
    }
    await database.close();
  });

  it('within a transaction, between two statements, ends no process', async () => {
    answers = 1;
    const pool = new pg.Pool(config);
    pool.on('error', () => undefined);
    const broken = transaction(pool, async (client) => {
      await new Promise((resolve) => client.once('end', resolve));
      await client.query('SELECT 1');
    });
    await expect(broken).rejects.toThrow('PostgreSQL cannot be reached');
    await pool.end();
  });
});
