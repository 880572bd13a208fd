import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from '@jest/globals';
import { freePort } from '../../../libs/storage/src/testing/free-port.mjs';
import { Server, temporaryFolder } from './server.js';

const OUTAGE = process.env['DEVICE_METRICS_LONG'] === '1' ? 60_000 : 6_000;
/** Before and after the outage. */
const RUN = 5_000;

const ends: (() => unknown)[] = [];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

const version = ((): string | undefined => {
  try {
    const text = execFileSync('prometheus', ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    return /version (\S+)/.exec(text)?.[1] ?? 'of an unknown version';
  } catch {
    return undefined;
  }
})();

/** A Prometheus that scrapes itself and the api each second, and writes to the api. */
async function startPrometheus(folder: string, api: string): Promise<string> {
  const address = `127.0.0.1:${await freePort()}`;
  const config = {
    global: { scrape_interval: '1s' },
    scrape_configs: [
      { job_name: 'prometheus', static_configs: [{ targets: [address] }] },
      { job_name: 'api', static_configs: [{ targets: [new URL(api).host] }] },
    ],
    remote_write: [{ url: `${api}/api/v1/write`, queue_config: { max_backoff: '500ms' } }],
  };
  const file = join(folder, 'prometheus.yml');
  // JSON is YAML too.
  writeFileSync(file, JSON.stringify(config));
  const child: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'tsdb')}`,
      `--web.listen-address=${address}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  ends.push(async () => {
    child.kill();
    await once(child, 'exit');
  });
  return `http://${address}`;
}

type Samples = Map<string, Map<number, number>>;

/** A series by all its labels. */
const nameOf = (labels: Record<string, string>): string =>
  JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)));

/** All finite samples that Prometheus has between two times. */
async function ofPrometheus(url: string, start: number, end: number): Promise<Samples> {
  const query = encodeURIComponent(`{__name__=~".+"}[${end - start}ms]`);
  const answer: any = await (await fetch(`${url}/api/v1/query?time=${end / 1000}&query=${query}`)).json();
  const samples: Samples = new Map();
  for (const { metric, values } of answer.data.result) {
    const finite = values
      .map(([time, value]: [number, string]) => [Math.round(time * 1000), Number(value.replace('Inf', 'Infinity'))])
      .filter(([, value]: [number, number]) => Number.isFinite(value));
    if (finite.length > 0) samples.set(nameOf(metric), new Map(finite));
  }
  return samples;
}

async function ofApi(api: Server, start: number, end: number): Promise<Samples> {
  const range = `start_time=${new Date(start).toISOString()}&end_time=${new Date(end + 1).toISOString()}`;
  const { body } = await api.get(`/api/v1/reports/metrics/127.0.0.1?${range}`);
  return new Map(
    body.series.map(({ metric_name: name, labels, samples }: any) => [
      nameOf({ __name__: name, ...labels }),
      new Map(samples.map(([time, value]: [string, number]) => [Date.parse(time), value])),
    ]),
  );
}

const run = version === undefined ? it.skip : it;
run(
  version === undefined
    ? 'Prometheus writes here what it has (there is none: apt-get install prometheus)'
    : `Prometheus ${version} writes here what it has, through a crash and an outage: no gap, and nothing twice`,
  async () => {
    const folder = await temporaryFolder();
    ends.push(folder.remove);
    const settings = { DATABASE_PATH: join(folder.path, 'metrics.db') };
    let api = await Server.start(settings);
    ends.push(() => api.stop());
    const prometheus = await startPrometheus(folder.path, api.url);
    await sleep(RUN);
    await api.stop('SIGKILL');
    await sleep(OUTAGE);
    api = await Server.start({ ...settings, PORT: new URL(api.url).port });
    await sleep(RUN);

    const end = Date.now() - 1_000;
    const start = end - OUTAGE - 3 * RUN - 60_000;
    const there = await ofPrometheus(prometheus, start, end);
    // What is on its way when the time ends comes soon.
    let here: Samples = new Map();
    for (let tries = 0; tries < 120; tries += 1) {
      here = await ofApi(api, start, end);
      if (here.size === there.size && [...there].every(([name, samples]) => here.get(name)?.size === samples.size))
        break;
      await sleep(500);
    }

    expect(there.size).toBeGreaterThan(300);
    expect([...here.keys()].sort()).toEqual([...there.keys()].sort());
    for (const [name, samples] of there) expect([name, [...(here.get(name) ?? [])]]).toEqual([name, [...samples]]);
    const failed: any = await (
      await fetch(`${prometheus}/api/v1/query?query=sum(prometheus_remote_storage_samples_failed_total)`)
    ).json();
    expect(failed.data.result[0].value[1]).toBe('0');
  },
  OUTAGE + 300_000,
);
