import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { freePort } from '../../../../../libs/storage/src/testing/free-port.mjs';
import { until } from '../../../test/harness.js';
import { Device } from '../../../test/third-party/device.js';

const HOST = 'lab-pc-1';
const folder = mkdtempSync(join(tmpdir(), 'device-metrics-collectd-'));
const csv = join(folder, 'csv');
const port = await freePort();
const file = join(folder, 'collectd.conf');
writeFileSync(
  file,
  `Hostname "${HOST}"
FQDNLookup false
BaseDir "${folder}"
PIDFile "${join(folder, 'pid')}"
Interval 1
LoadPlugin cpu
LoadPlugin load
LoadPlugin memory
LoadPlugin interface
LoadPlugin csv
LoadPlugin write_prometheus
<Plugin csv>
  DataDir "${csv}"
  StoreRates false
</Plugin>
<Plugin write_prometheus>
  Host "127.0.0.1"
  Port "${port}"
</Plugin>
`,
);
const env = { PATH: `${process.env['PATH']}:/usr/sbin`, TZ: 'UTC', ...libraries() };
const ends: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

function libraries(): Record<string, string> {
  const path = process.env['LD_LIBRARY_PATH'];
  return path === undefined ? {} : { LD_LIBRARY_PATH: path };
}

/** Whether there is a collectd that has what the configuration asks for: it reads once, and ends. */
const isThere = ((): boolean => {
  try {
    execFileSync('collectd', ['-T', '-C', file], { env, stdio: 'ignore', timeout: 10_000 });
    return true;
  } catch {
    return false;
  }
})();

/** What collectd has written of a value: its time, ms, and the columns. */
function* written(plugin: string, type: string): Generator<[time: number, values: number[]]> {
  const path = join(csv, HOST, plugin);
  if (!existsSync(path)) return;
  for (const name of readdirSync(path).filter((one) => one.startsWith(`${type}-20`))) {
    for (const line of readFileSync(join(path, name), 'utf8').split('\n').slice(1, -1)) {
      const [time, ...values] = line.split(',').map(Number);
      yield [Math.round((time as number) * 1000), values];
    }
  }
}

const run = isThere ? it : it.skip;
run(
  isThere
    ? 'collectd exposes what it measures, and all of it is read, as it has written it itself'
    : 'collectd is read (there is none with write_prometheus: apt-get install collectd-core libprotobuf-c1 libmicrohttpd12)',
  async () => {
    const collectd = spawn('collectd', ['-f', '-C', file], { env, stdio: 'ignore' });
    ends.push(async () => {
      if (collectd.kill()) await once(collectd, 'exit');
    });
    const device = new Device({
      protocol: 'prometheus',
      url: `http://127.0.0.1:${port}/metrics`,
      timestamps: 'source',
      timeout: '5s',
    });
    let samples: Awaited<ReturnType<Device['timed']>> = [];
    const count = (start: string): number => samples.filter((one) => one.metric_name.startsWith(start)).length;
    // Of what it has just begun to read it has nothing to say yet.
    await until(async () => {
      samples = await device.timed().catch(() => []);
      return count('collectd_cpu_total') >= 8 && count('collectd_memory') >= 4 && count('collectd_load_') === 3;
    });
    /** What it has written of a sample itself; undefined where it has not yet, or where this test knows nothing of it. */
    const own = ({ metric_name: name, labels = {}, timestamp }: (typeof samples)[number]): number | undefined => {
      const read = (plugin: string, type: string, column = 0): number | undefined =>
        [...written(plugin, type)].find(([time]) => time === timestamp)?.[1][column];
      const load = ['shortterm', 'midterm', 'longterm'].findIndex((term) => name === `collectd_load_${term}`);
      if (load >= 0) return read('load', 'load', load);
      if (name === 'collectd_cpu_total') return read(`cpu-${labels['cpu']}`, `cpu-${labels['type']}`);
      return read('memory', `memory-${labels['memory']}`);
    };
    const known = samples.filter(({ metric_name: name }) => /^collectd_(load_|cpu_total$|memory$)/.test(name));
    // It writes its files a little later.
    await until(() => known.every((sample) => own(sample) !== undefined));

    for (const { labels } of samples) expect(labels?.['instance']).toBe(HOST);
    for (const sample of known) {
      // It writes six decimals.
      const difference = Math.abs(sample.value - (own(sample) ?? NaN));
      expect([sample.metric_name, sample.labels, difference < 1e-6]).toEqual([sample.metric_name, sample.labels, true]);
    }
    expect(device.rejected).toEqual([]);
  },
);
