import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from '@jest/globals';
import pg from 'pg';
import { startPostgres, whyNoPostgres, type PostgresServer } from '../../../libs/storage/src/testing/postgres.js';
import { NumberedSenders } from './numbered-senders.js';
import { Server, temporaryFolder } from './server.js';

const isLong = process.env['DEVICE_METRICS_LONG'] !== undefined;
const describeIf = isLong && whyNoPostgres === undefined ? describe : describe.skip;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** An address that moves from one server to another, as that of a proxy before Patroni does. */
class Moving {
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((socket) => {
    const there = connect(this.port, '127.0.0.1');
    for (const [one, other] of [
      [socket, there],
      [there, socket],
    ] as const) {
      this.sockets.add(one);
      one.pipe(other);
      one.on('error', () => other.destroy());
      one.on('close', () => this.sockets.delete(one) && other.destroy());
    }
  });

  constructor(private port: number) {}

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `postgres://postgres@127.0.0.1:${(this.server.address() as AddressInfo).port}/metrics`;
  }

  moveTo(port: number): void {
    this.port = port;
    for (const socket of this.sockets) socket.destroy();
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

const portOf = (server: PostgresServer): number => Number(new URL(server.url('postgres')).port);

async function run(server: PostgresServer, sql: string): Promise<unknown[]> {
  const client = new pg.Client(server.url('postgres'));
  await client.connect();
  return (await client.query(sql).finally(() => client.end())).rows;
}

describeIf('processes on a PostgreSQL that fails over', () => {
  let primary: PostgresServer;
  let moving: Moving;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let servers: Server[];
  let turn = 0;
  const some = (): Server => servers[(turn += 1) % servers.length] as Server;

  beforeEach(async () => {
    primary = await startPostgres();
    await run(primary, 'CREATE DATABASE metrics');
    moving = new Moving(portOf(primary));
    folder = await temporaryFolder();
    const settings = {
      DATABASE_URL: await moving.listen(),
      DATABASE_PATH: `${folder.path}/none.db`,
      RETENTION_RAW: '0',
      RETENTION_HOURLY: '0',
    };
    servers = [await Server.start(settings), await Server.start(settings)];
  });
  afterEach(async () => {
    for (const server of servers) await server.stop();
    moving.close();
    await primary.stop();
    await folder.remove();
  });

  it('lose and double nothing when a synchronous standby is promoted, and are back soon', async () => {
    const standby = await startPostgres([`--standby-of=${portOf(primary)}`]);
    await run(primary, `ALTER SYSTEM SET synchronous_standby_names = '*'`);
    await run(primary, 'SELECT pg_reload_conf()');
    while ((await run(primary, `SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'`)).length === 0)
      await pause(50);
    try {
      const senders = new NumberedSenders(some, 4);
      await senders.during(async () => {
        await senders.goesOn();
        await primary.stop();
        await pause(1_000);
        await run(standby, 'SELECT pg_promote()');
        moving.moveTo(portOf(standby));
        await senders.goesOn();
      });
      await senders.expectAll();
    } finally {
      moving.close();
      for (const server of servers) await server.stop();
      await standby.stop();
    }
  });

  it('write nothing under a lease that ran out while they were stopped', async () => {
    const senders = new NumberedSenders(some, 4);
    await senders.during(async () => {
      await senders.goesOn();
      const [stopped, other] = servers as [Server, Server];
      stopped.signal('SIGSTOP');
      await pause(14_000);
      // Its shards are with the other one by now, which seals what both had taken.
      servers = [other];
      await senders.goesOn();
      servers = [stopped, other];
      stopped.signal('SIGCONT');
      await senders.goesOn();
    });
    await senders.expectAll();
    const both = servers;
    for (const server of both) {
      servers = [server];
      await senders.expectAll();
    }
    servers = both;
  });
});
