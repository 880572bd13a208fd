import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { startPostgres, whyNoPostgres, type PostgresServer } from '../../../libs/storage/src/testing/postgres.js';
import { NumberedSenders, within } from './numbered-senders.js';
import { Server, temporaryFolder, type Answer } from './server.js';

const isLong = process.env['DEVICE_METRICS_LONG'] !== undefined;
const KILLS = isLong ? 60 : 2;
const SHUTDOWNS = isLong ? 10 : 1;
const LASTS = isLong ? 300_000 : 4_000;

/** Samples of each device that becomes part of another meanwhile. */
const PART = 2_000;

const inLong = isLong ? it : it.skip;
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
      REPORTS_SCHEDULE: '* * * * * *',
      REPORTS_PATH: `${folder.path}/reports`,
    };
    servers = await Promise.all([0, 1, 2].map(() => Server.start(settings)));
  });
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
    await pause(1_000);
    expect((await b.get('/api/v1/devices', headers)).status).toBe(401);
    expect((await a.get('/readyz')).status).toBe(200);
    expect((await a.get('/api/v1/admin/backup')).status).toBe(501);
  });

  it('doctor says what is the matter with the database, also where no api runs', async () => {
    const said = async (url: string): Promise<string> =>
      Server.command(['doctor'], { ...settings, DATABASE_URL: url, PORT: '1' }).catch(
        ({ stdout }: { stdout: string }) => stdout,
      ) as Promise<string>;
    const url = settings['DATABASE_URL'] ?? '';
    expect(await said(url)).toContain('ok     database: PostgreSQL 1');
    expect(await said(url.replace(/:\d+\//, ':1/'))).toMatch(/WRONG {2}database: .*PostgreSQL cannot be reached/);
  });

  it('take what is of now, and not what is ahead, by the clock of the database, whatever their own says', async () => {
    const wrong = 'const { now } = Date; Date.now = () => now() - 3_600_000;';
    const behind = await Server.start({
      ...settings,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(wrong)}`,
    });
    const sample = (more: object): object => ({ device_name: 'now', metric_name: 'm', value: 1, ...more });
    const path = '/api/v1/aggregator/metrics';
    const now = Date.now();
    expect(await behind.post(path, sample({ timestamp: now }))).toMatchObject({ status: 201 });
    expect(await behind.post(`${path}/batch`, [sample({ timestamp: now })])).toMatchObject({ status: 200 });
    const untimed = await behind.post(path, sample({}));
    expect(Math.abs(Date.parse(untimed.body.timestamp) - now)).toBeLessThan(600_000);
    const ahead = await behind.post(path, sample({ timestamp: now + 1_200_000 }));
    expect(ahead.body.detail).toContain('no more than 10 minutes ahead');
    await behind.stop();
  });

  it('know what senders said to any of them beside samples', async () => {
    const [a, b, c] = servers as [Server, Server, Server];
    const time = (before: number): string => `${BigInt(Date.now() - before) * 1_000_000n}`;
    const told = (point: object): object => ({
      resourceMetrics: [
        {
          resource: { attributes: [{ key: 'host.name', value: { stringValue: 'told' } }] },
          scopeMetrics: [
            {
              metrics: [
                { name: 'jobs', description: 'Jobs that wait', gauge: { dataPoints: [{ asDouble: 4, ...point }] } },
              ],
            },
          ],
        },
      ],
    });
    expect(await a.post('/v1/metrics', told({ timeUnixNano: time(9_000) }))).toMatchObject({ status: 200 });
    expect(await b.post('/v1/metrics', told({ timeUnixNano: time(5_000), flags: 1 }))).toMatchObject({ status: 200 });
    const seenBy = async (server: Server): Promise<unknown[]> => {
      const { metrics } = (await server.get('/api/v1/metrics')).body;
      const { samples } = (await server.get('/api/v1/reports/latest?device_name=told')).body;
      const help = metrics.find(({ metric_name: name }: { metric_name: string }) => name === 'jobs')?.help;
      return [help, samples[0]?.value, typeof samples[0]?.ended_at];
    };
    const deadline = Date.now() + 10_000;
    for (const server of [a, b, c]) {
      while (Date.now() < deadline && (await seenBy(server)).join() !== 'Jobs that wait,4,string') await pause(100);
      expect(await seenBy(server)).toEqual(['Jobs that wait', 4, 'string']);
    }
  });

  it('write the reports of each time once', async () => {
    const written = (): Promise<number[]> =>
      Promise.all((servers as Server[]).map((server) => server.metric('device_metrics_reports_written_total')));
    const sumOf = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
    while (sumOf(await written()) < 3) await pause(100);
    const counts = await written();
    expect(counts.filter((count) => count > 0)).toHaveLength(1);
    expect((await readdir(settings['REPORTS_PATH'] as string)).length).toBeGreaterThanOrEqual(sumOf(counts));
  });

  inLong('tell of an alert once', async () => {
    const heard: string[] = [];
    const receiver = createServer((request, response) => {
      void request.toArray().then((parts) => heard.push(Buffer.concat(parts).toString()));
      response.end();
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    const { port } = receiver.address() as AddressInfo;
    const text = `rules: [{ name: hot, select: { metric: heat }, condition: { above: 5 } }]
channels: [{ name: hook, type: webhook, url: 'http://127.0.0.1:${port}/' }]
routes: [{ name: all, channels: [hook], wait: 0s }]`;
    expect((await some().post('/api/v1/alerts/import', { text })).status).toBe(200);
    const until = Date.now() + 75_000;
    while (Date.now() < until) {
      await some().post('/api/v1/aggregator/metrics/', { device_name: 'oven', metric_name: 'heat', value: 9 });
      await pause(1_000);
    }
    receiver.close();
    expect(heard.filter((body) => body.includes('"hot"'))).toHaveLength(1);
  });

  it(`lose and double nothing through ${KILLS} kills and ${SHUTDOWNS} immediate shutdowns of PostgreSQL`, async () => {
    const senders = new NumberedSenders(some, 4);
    const isAlive = (at: number): boolean => servers[at] !== undefined;
    const restart = async (at: number): Promise<void> => {
      const again = async (): Promise<Server> => Server.start(settings).catch(again);
      servers[at] = await again();
    };
    let [areKilled, parts] = [false, 0];
    const start = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 30 * 3_600_000;
    const until = async (ask: () => Promise<Answer>, isDone: (answer: Answer) => boolean): Promise<void> => {
      for (;;) {
        const answer = await within(ask(), 10_000);
        if (answer && isDone(answer)) return;
        if (answer && answer.status < 500) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
        await pause(100);
      }
    };
    /** Devices of some hours that become one, as long as processes are killed; whatever is not answered is asked again. */
    const mergeParts = async (): Promise<void> => {
      while (isLong && !areKilled) {
        const device_name = parts === 0 ? 'whole' : `part-${parts}`;
        const samples = Array.from({ length: PART }, (_, at) => [start + at * 50_000 + parts, at]);
        const metrics = [{ device_name, metric_name: 'own.part', samples }];
        await until(
          () => some().post('/api/v1/aggregator/metrics/batch/', { metrics }),
          ({ status }) => status === 200,
        );
        const merge = { device_name: 'whole', merge: true };
        parts += 1;
        if (device_name === 'whole') continue;
        await until(
          () => some().send('PATCH', `/api/v1/devices/${device_name}`, merge),
          // It is one already, where that answer was lost.
          ({ status }) => status === 200 || status === 404,
        );
      }
    };
    const expectWhole = async (): Promise<void> => {
      const found: [number, number][] = [];
      for (let cursor = ''; ;) {
        const path = `/api/v1/reports/metrics/whole?start_time=${start}&end_time=${start + 1e9}&limit=10000${cursor}`;
        const { status, body } = await some().get(path);
        if (status === 503) {
          await pause(100);
          continue;
        }
        for (const [time, value] of body.series[0].samples) found.push([Date.parse(time), value]);
        if (!body.next_cursor) break;
        cursor = `&cursor=${body.next_cursor}`;
      }
      const expected = Array.from({ length: PART * parts }, (_, at) => {
        const [sample, part] = [Math.floor(at / parts), at % parts];
        return [start + sample * 50_000 + part, sample];
      });
      expect(parts).toBeGreaterThan(1);
      expect(found).toEqual(expected);
    };
    await senders.during(async () => {
      const kills = Array.from({ length: KILLS }, () => 'kill');
      const events = [...kills, ...Array.from({ length: SHUTDOWNS }, () => 'postgres')];
      const restarts: Promise<void>[] = [];
      const merging = mergeParts();
      merging.catch(() => undefined);
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
      areKilled = true;
      await merging;
    });
    await senders.expectAll();
    if (isLong) await expectWhole();
  }, 1_800_000);
});
