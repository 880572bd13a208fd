import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startPostgres, whyNoPostgres, type PostgresServer } from '../../../libs/storage/src/testing/postgres.js';
import { Server, temporaryFolder } from './server.js';

const isLong = process.env['DEVICE_METRICS_LONG'] !== undefined;
const KILLS = isLong ? 60 : 4;
const SHUTDOWNS = isLong ? 10 : 1;
const LASTS = isLong ? 300_000 : 12_000;
const SENDERS = 4;
const BATCH = 20;

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

  const some = (at: number): Server => {
    const living = servers.filter((server) => server !== undefined);
    return living[at % living.length] as Server;
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
    const start = Math.floor(Date.now() / 1000) * 1000 - 5 * 86_400_000;
    const acknowledged = Array.from({ length: SENDERS }, () => 0);
    const missing: string[] = [];
    let ended = false;
    let turn = 0;

    /** As a collector: the same batch again, anywhere, until it is acknowledged. */
    const send = async (sender: number): Promise<void> => {
      while (!ended) {
        const first = acknowledged[sender] as number;
        const samples = Array.from({ length: BATCH }, (_, at) => [start + (first + at) * 1000, first + at]);
        const body = { metrics: [{ device_name: `pc-${sender}`, metric_name: 'own.number', samples }] };
        const answer = await some((turn += 1))
          .post('/api/v1/aggregator/metrics/batch/', body)
          .catch(() => undefined);
        if (answer?.status === 200) acknowledged[sender] = first + BATCH;
        else await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    /** Whatever is acknowledged is in every report that is asked for afterwards. */
    const look = async (): Promise<void> => {
      while (!ended) {
        const sender = (turn += 1) % SENDERS;
        const least = acknowledged[sender] as number;
        const from = start + Math.max(0, least - 10) * 1000;
        const path = `/api/v1/reports/metrics/pc-${sender}?start_time=${from}&end_time=${start + least * 1000}`;
        const answer = await some((turn += 1))
          .get(path)
          .catch(() => undefined);
        if (answer?.status === 200 && least > 0) {
          const found = answer.body.series[0]?.samples.length;
          if (found !== 10) missing.push(`${found} of the 10 samples before ${least} of pc-${sender}`);
        } else await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    const killing = async (): Promise<void> => {
      const events = [
        ...Array.from({ length: KILLS }, () => 'kill'),
        ...Array.from({ length: SHUTDOWNS }, () => 'postgres'),
      ];
      for (const event of events.sort(() => Math.random() - 0.5)) {
        await new Promise((resolve) => setTimeout(resolve, (LASTS / events.length) * 2 * Math.random()));
        if (event === 'postgres') await postgres.shutDownImmediately();
        else {
          const at = Math.floor(Math.random() * 3);
          const killed = servers[at];
          servers[at] = undefined;
          await killed?.stop('SIGKILL');
          const again = async (): Promise<Server> => Server.start(settings).catch(again);
          servers[at] = await again();
        }
      }
      // Everything comes back by itself.
      const before = [...acknowledged];
      while (acknowledged.some((count, sender) => count < (before[sender] as number) + 5 * BATCH)) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      ended = true;
    };
    await Promise.all([killing(), look(), ...acknowledged.map((_, sender) => send(sender))]);
    expect(missing).toEqual([]);

    for (let sender = 0; sender < SENDERS; sender += 1) {
      const found: [string, number][] = [];
      let cursor: string | undefined = '';
      while (cursor !== undefined) {
        const path = `/api/v1/reports/metrics/pc-${sender}?start_time=${start}&end_time=${start + 1e9}&limit=10000${cursor}`;
        const { status, body } = await some((turn += 1)).get(path);
        // What came last may have been the end of the database: a process that still looks for it says so, and is asked again.
        if (status === 503) {
          await new Promise((resolve) => setTimeout(resolve, 50));
          continue;
        }
        expect(status).toBe(200);
        found.push(...(body.series[0]?.samples ?? []));
        cursor = body.next_cursor ? `&cursor=${body.next_cursor}` : undefined;
      }
      const numbers = found.map(([, value]) => value);
      // A batch whose acknowledgement was lost may be there too, as a whole.
      expect(numbers.length - (acknowledged[sender] as number)).toBeGreaterThanOrEqual(0);
      expect(numbers).toEqual(Array.from(numbers, (_, at) => at));
    }
  }, 600_000);
});
