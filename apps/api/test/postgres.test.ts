import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startPostgres, whyNoPostgres, type PostgresServer } from '../../../libs/storage/src/testing/postgres.js';
import { NumberedSenders } from './numbered-senders.js';
import { Server, temporaryFolder } from './server.js';

const isLong = process.env['DEVICE_METRICS_LONG'] !== undefined;
const KILLS = isLong ? 60 : 2;
const SHUTDOWNS = isLong ? 10 : 1;
const LASTS = isLong ? 300_000 : 12_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const describeIf = whyNoPostgres === undefined ? describe : describe.skip;

describeIf('three processes on one PostgreSQL', () => {
  let postgres: PostgresServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let settings: Record<string, string>;
  let servers: (Server | undefined)[];

  beforeAll(async () => {
    postgres = await startPostgres();
    folder = await temporaryFolder();
    const client = new pg.Client(postgres.url('postgres'));
    await client.connect();
    await client.query('CREATE DATABASE metrics');
    await client.end();
    settings = {
      DATABASE_URL: postgres.url('metrics'),
      DATABASE_PATH: `${folder.path}/none.db`,
      RETENTION_RAW: '0',
      RETENTION_HOURLY: '0',
    };
    servers = await Promise.all([0, 1, 2].map(() => Server.start(settings)));
  }, 60_000);
  afterAll(async () => {
    for (const server of servers) await server?.stop();
    await postgres.stop();
    await folder.remove();
  });

  let turn = 0;
  const some = (): Server => {
    const living = servers.filter((server) => server !== undefined);
    return living[(turn += 1) % living.length] as Server;
  };

  it('are one api: what one stores, describes and lets in holds in the others', async () => {
    const [a, b, c] = servers as [Server, Server, Server];
    const sent = { device_name: 'lab-pc', metric_name: 'hw.temperature', value: 31.5 };
    expect(await a.post('/api/v1/aggregator/metrics/', sent)).toMatchObject({ status: 201 });
    expect((await b.get('/api/v1/reports/summary')).body.summaries).toMatchObject([
      { device_name: 'lab-pc', count: 1 },
    ]);
    await b.send('PATCH', '/api/v1/devices/lab-pc', { tags: { room: 'lab' } });
    expect((await c.get('/api/v1/devices/lab-pc')).body).toMatchObject({ tags: { room: 'lab' } });

    const made = await a.post('/api/v1/tokens', { kind: 'read', name: 'wall' });
    expect(made.status).toBe(201);
    const headers = { authorization: `Bearer ${made.body.token}` };
    expect((await b.get('/api/v1/devices', headers)).status).toBe(200);
    await c.send('DELETE', `/api/v1/tokens/${made.body.id}`);
    const revokedAt = Date.now();
    while ((await b.get('/api/v1/devices', headers)).status !== 401) expect(Date.now() - revokedAt).toBeLessThan(5_000);
    expect((await a.get('/readyz')).status).toBe(200);
    expect((await a.get('/api/v1/admin/backup')).status).toBe(501);
  });

  it(`lose and double nothing through ${KILLS} kills and ${SHUTDOWNS} immediate shutdowns of PostgreSQL`, async () => {
    const senders = new NumberedSenders(some, 4);
    const isAlive = (at: number): boolean => servers[at] !== undefined;
    const restart = async (at: number): Promise<void> => {
      const again = async (): Promise<Server> => Server.start(settings).catch(again);
      servers[at] = await again();
    };
    await senders.during(async () => {
      const kills = Array.from({ length: KILLS }, () => 'kill');
      const events = [...kills, ...Array.from({ length: SHUTDOWNS }, () => 'postgres')];
      const restarts: Promise<void>[] = [];
      for (const event of events.sort(() => Math.random() - 0.5)) {
        await pause((LASTS / events.length) * 2 * Math.random());
        if (event === 'postgres') await postgres.shutDownImmediately();
        else {
          // One lives on, so that the senders have somebody to go to.
          while ([0, 1, 2].filter(isAlive).length < 2) await pause(50);
          const living = [0, 1, 2].filter(isAlive);
          const at = living[Math.floor(Math.random() * living.length)] as number;
          const killed = servers[at];
          servers[at] = undefined;
          await killed?.stop('SIGKILL');
          restarts.push(restart(at));
        }
      }
      await Promise.all(restarts);
    });
    await senders.expectAll();
  }, 1_800_000);
});
