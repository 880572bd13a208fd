import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { HOUR } from '@device-metrics/domain';
import { Server, temporaryFolder } from './server.js';

const isLong = process.env['DEVICE_METRICS_LONG'] !== undefined;
/** A whole minute, some hours ago. */
const START = Math.floor((Date.now() - 6 * HOUR) / 60_000) * 60_000;
const EVIL = `"><script>alert('1')</script>&amp;`;
const every = (seconds: number, values: number[]): [number, number][] =>
  values.map((value, index) => [START + index * seconds * 1000, value]);
const text = (html: string): string => html.replace(/<style>[^]*<\/style>|<wbr>/g, '').replace(/<[^>]*>/g, '\n');
const rowOf = (html: string, name: string): string[] => {
  const row = html.split('<tr>').find((one) => text(one).split('\n').includes(name)) ?? '';
  return [...row.matchAll(/<t[dh][^>]*>([^]*?)<\/t[dh]>/g)].map(([, cell]) =>
    text(cell ?? '')
      .replace(/[\s\u00A0]+/g, ' ')
      .trim(),
  );
};
/** Also of a metric without a chart. */
const figureNamed = (html: string, name: string): string =>
  html
    .split('<figure')
    .slice(1)
    .find((one) => text(one).includes(name)) ?? '';
const figureOf = (html: string, name: string): string =>
  html.split('<figure').find((one) => one.includes(`>${name}</title>`)) ?? '';

describe('the printable report', () => {
  let server: Server;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let nowhere: string;
  const print = async (query: string): Promise<string> => {
    const { status, body } = await server.get(`/api/v1/reports/print?${query}`);
    expect({ status, body: status === 200 ? '' : body }).toEqual({ status: 200, body: '' });
    return String(body);
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    nowhere = join(folder.path, 'nowhere');
    server = await Server.start({
      DATABASE_PATH: join(folder.path, 'metrics.db'),
      REPORTS_SCHEDULE: '',
      REPORTS_PATH: nowhere,
    });
    const evil = { device_name: EVIL, metric_name: 'm', unit: EVIL };
    const { status, body } = await server.post('/api/v1/aggregator/metrics/batch/', [
      {
        device_name: 'pc',
        metric_name: 'system.memory.usage',
        labels: { state: 'used' },
        samples: every(10, [2 ** 30, 3 * 2 ** 30]),
      },
      {
        device_name: 'pc',
        metric_name: 'system.memory.usage',
        labels: { state: 'free' },
        samples: every(10, [2 ** 30, 2 ** 30]),
      },
      { device_name: 'pc', metric_name: 'system.network.io', samples: every(10, [1e6, 1e6 + 20_480, 1e6 + 61_440]) },
      { device_name: 'pc', metric_name: 'jobs_total', samples: every(10, [7]) },
      { device_name: 'pc', metric_name: 'system.boot_time', samples: [[START, Date.UTC(2026, 0, 15, 10) / 1000]] },
      ...Array.from({ length: 13 }, (_, cpu) => ({
        device_name: 'pc',
        metric_name: 'system.cpu.utilization',
        labels: { cpu: String(cpu) },
        samples: every(10, [cpu / 20, cpu / 20]),
      })),
      {
        device_name: 'pc',
        metric_name: 'hw.status',
        labels: { 'hw.id': 'fan', 'hw.state': 'ok' },
        samples: every(10, [1, 1]),
      },
      {
        device_name: 'pc',
        metric_name: 'hw.status',
        labels: { 'hw.id': 'fan', 'hw.state': 'failed' },
        samples: every(10, [0, 0]),
      },
      ...['a', 'b'].map((mount, index) => ({
        device_name: 'pc',
        metric_name: 'system.filesystem.utilization',
        labels: { 'system.filesystem.mountpoint': `/${mount}` },
        samples: every(10, [0.25 + index / 2, 0.25 + index / 2]),
      })),
      {
        device_name: 'in-per-cent',
        metric_name: 'system.cpu.utilization',
        unit: '%',
        samples: every(10, [20, 40]),
      },
      { device_name: 'pc', metric_name: 'a.sensor', samples: every(10, [1, 2]) },
      { device_name: 'pc', metric_name: 'collector.spool.size', samples: every(10, [0, 512]) },
      { ...evil, labels: { [EVIL]: 'a' }, samples: every(10, [1, 2]) },
      { ...evil, labels: { [EVIL]: EVIL }, samples: every(10, [2, 1]) },
    ]);
    expect({ status, body }).toMatchObject({ status: 200, body: { rejected: [] } });
  });
  afterAll(async () => {
    await server.stop();
    await folder.remove();
  });

  it('begins with what the device is, whether it is there, and how much of the time it was', async () => {
    await fetch(`${server.url}/api/v1/devices/pc`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ display_name: 'Bench <1>', notes: 'new fan\nloud', tags: { room: 'lab', floor: '2' } }),
    });
    const html = await print('device=pc');
    expect(html).toContain('<h1>Bench &lt;1&gt;</h1>');
    const facts = Object.fromEntries(
      [...html.matchAll(/<dt>([^<]*)<\/dt><dd>(.*?)<\/dd>/g)].map(([, name, fact]) => [name, text(fact ?? '').trim()]),
    );
    expect(facts).toMatchObject({ Device: 'pc', Tags: 'floor=2, room=lab', Notes: 'new fan\nloud' });
    expect(facts['Status']).toMatch(/^offline\n, last heard of \d+ \w{3} \d{4}/);
    expect(facts['Availability']).toMatch(/^0\.\d+\u00A0%, 1 silence of [\d.]+\u00A0h in all$/);
  });

  it('says first how busy and how full it is, and last what the collector says of itself', async () => {
    const html = await print('device=pc');
    const glance = html.slice(html.indexOf('At a glance'), html.indexOf('<h2>Summary'));
    expect(rowOf(glance, 'Processors busy')).toEqual(['Processors busy', '30 %', '60 %', '30 %', '']);
    expect(rowOf(glance, 'Memory used')).toEqual(['Memory used', '62.5 %', '75 %', '75 %', '']);
    expect([...glance.matchAll(/Disk [^<]*/g)].map(([name]) => name)).toEqual(['Disk /b full', 'Disk /a full']);
    const summary = html.slice(html.indexOf('<h2>Summary'), html.indexOf('<h2>Details'));
    const names = [...summary.matchAll(/<th scope="row">(?:<a[^>]*>)?(.*?)(?:<\/a>|<\/th>| <span)/g)].map(([, name]) =>
      text(name ?? ''),
    );
    expect(names).toEqual([
      'system.cpu.utilization',
      'system.filesystem.utilization',
      'system.memory.usage',
      'system.network.io',
      'system.boot_time',
      'hw.status',
      'a.sensor',
      'jobs_total',
      'collector.spool.size',
    ]);
    expect(text(await print('device=pc&metric_name=jobs_total'))).not.toContain('At a glance');
    const inPerCent = await print('device=in-per-cent');
    expect(rowOf(inPerCent, 'Processors busy')).toEqual(['Processors busy', '30 %', '40 %', '40 %', '']);
  });

  it('has a row for each metric: the number that the catalogue names, in units that people read', async () => {
    const html = await print('device=pc');
    const summary = html.slice(html.indexOf('<h2>Summary'));
    const row = (name: string): string[] => rowOf(summary, name);
    expect(row('system.memory.usage').slice(0, 7)).toEqual([
      ...['system.memory.usage share of used', '2', '4'],
      ...['50 %', '62.5 %', '75 %', '75 %'],
    ]);
    expect(row('system.cpu.utilization').slice(1, 6)).toEqual(['13', '26', '0 %', '30 %', '60 %']);
    expect(row('system.boot_time')).toContain('15 Jan 2026 10:00');
    expect(row('hw.status')[3]).toBe('ok');
    expect(text(html)).toContain('9 metrics, 24 series');
  });

  it('has a chart of each metric that changes, with a legend of what tells its series apart', async () => {
    const html = await print('device=pc');
    const charts = [...html.matchAll(/<svg class="chart"[^]*?<title[^>]*>([^<]*)/g)].map(([, name]) => name);
    expect(charts).toEqual(['system.memory.usage', 'a.sensor', 'collector.spool.size']);
    const figure = figureOf(html, 'system.memory.usage');
    expect(figure).toContain('<th scope="col">state</th>');
    expect(rowOf(figure, 'used')).toEqual(['', 'used', '1 GiB', '2 GiB', '3 GiB', '3 GiB']);
    expect(figure).toMatch(/<desc[^>]*>Line chart from [^<]* \(UTC\); lines: 2; values between 1.GiB and 2.GiB/);
  });

  it('has values in place of a chart of what differs and does not change, and nothing of what does neither', async () => {
    const html = await print('device=pc');
    const figure = figureNamed(html, 'system.filesystem.utilization');
    expect(figure).not.toContain('<svg class="chart"');
    expect([rowOf(figure, '/a'), rowOf(figure, '/b')]).toEqual([
      ['/a', '25 %'],
      ['/b', '75 %'],
    ]);
    expect(
      html
        .split('<figure')
        .slice(1)
        .filter((one) => /jobs_|hw\.<wbr>status/.test(one.split('</h3>')[0] ?? '')),
    ).toHaveLength(0);
  });

  it('shows counters by how fast they grew', async () => {
    const html = await print('device=pc');
    const summary = html.slice(html.indexOf('<h2>Summary'));
    expect(rowOf(summary, 'system.network.io').slice(1, 7)).toEqual([
      '1',
      '3',
      '3 KiB/s',
      '3 KiB/s',
      '3 KiB/s',
      '3 KiB/s',
    ]);
    expect(rowOf(summary, 'jobs_total').slice(2, 4)).toEqual(['1', '–']);
    expect(text(html)).toContain('where there are not two samples to tell');
  });

  it('draws the ten series of the largest mean and says how many it leaves out', async () => {
    const html = await print('device=pc');
    const figure = figureNamed(html, 'system.cpu.utilization');
    expect(text(figure)).toContain('The 10 of 13 series with the largest mean; 3 are left out.');
    expect(rowOf(figure, '3')).toEqual(['3', '15 %']);
    expect(rowOf(figure, '2')).toEqual([]);
  });

  it('is light on paper, and dark where the screen is', async () => {
    const html = await print('device=pc');
    expect(html).toContain('@media screen and (prefers-color-scheme: dark)');
    expect(html).toMatch(/<path [^>]*class="l0"/);
  });

  it('is in the time zone that was asked for, and says so', async () => {
    const range = 'start_time=2026-03-29T00:00:00Z&end_time=2026-03-29T04:00:00Z';
    const page = text(await print(`device=pc&timezone=Europe/Berlin&${range}`));
    expect(page).toContain('29 Mar 2026 01:00:00');
    expect(page).toContain('29 Mar 2026 06:00:00');
    expect(page).toContain('Europe/Berlin');
  });

  it('is restricted to the metrics that were asked for', async () => {
    const html = await print('device=pc&metric_name=system.m*&metric_name=jobs_total&time_range=12');
    expect(text(html)).toContain('2 metrics, 3 series, 5 samples');
    expect(text(html)).toContain('system.m*, jobs_total');
  });

  it('says so when there are no samples', async () => {
    expect(text(await print('device=pc&time_range=1'))).toContain('There are no samples of this device in this time.');
    const before = 'start_time=1990-01-01T00:00:00Z&end_time=1990-01-02T00:00:00Z';
    expect(text(await print(`device=pc&${before}`))).toContain('There are no samples of this device in this time.');
    expect(text(await print('device=pc&metric_name=x'))).toContain('in this time and of these metrics.');
    const allTime = 'start_time=-250000000000000&end_time=250000000000000&timezone=Asia/Tokyo';
    expect(text(await print(`device=pc&${allTime}`))).toContain('9 metrics');
  });

  it('lets no name, label or unit become markup, and forbids everything but its own styles', async () => {
    const { body, headers } = await server.get(`/api/v1/reports/print?device=${encodeURIComponent(EVIL)}`);
    const html = String(body);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(html).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|url\(|@import/i);
    expect(html.replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/https?:/);
    const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;';
    expect(html).toContain(`<h1>${escaped}</h1>`);
    expect(html).toContain(`<th scope="col">${escaped}</th>`);
    expect(html).toContain(`<th scope="row">${escaped}</th>`);
    expect(html).toContain(`class="symbol">${escaped}</text>`);
  });

  it('of an unknown device is a 404 in the words of the device report', async () => {
    const { status, body } = await server.get('/api/v1/reports/print?device=lab%2Fpc-9');
    expect(status).toBe(404);
    expect(body).toEqual((await server.get('/api/v1/reports/metrics/lab%2Fpc-9')).body);
    expect(body.detail).toContain('There is no device "lab/pc-9"');
  });

  it.each([
    ['', 'device must be a string of 1 to 128 printable characters', 'got nothing'],
    ['device=', 'device must be a string of 1 to 128 printable characters', 'got ""'],
    ['device=a&device=b', 'device must be a string of 1 to 128 printable characters', 'got an array of 2'],
    ['device=pc&timezone=Berlin', 'timezone must be an IANA time zone', '"Berlin"'],
    ['device=pc&time_range=0', 'time_range must be a number of hours above 0', '"0"'],
    ['device=pc&time_range=1&start_time=-1h', 'time_range must not come together', ''],
    ['device=pc&start_time=now&end_time=-1h', 'end_time must be after start_time', '"-1h"'],
    ['device=pc&metric_name=', 'metric_name must be a name of 1 to 255 characters', ''],
    ['device=pc&step=1h', 'step is unknown; allowed are', 'time_range'],
  ])('?%s is a 400 that says what is allowed', async (query, detail, quoted) => {
    const { status, body, headers } = await server.get(`/api/v1/reports/print?${query}`);
    expect(status).toBe(400);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body.detail).toContain(detail);
    expect(body.detail).toContain(quoted);
    expect(body.errors).toHaveLength(1);
  });

  it('is not written by itself unless a schedule is set', async () => {
    await setTimeout(1_000);
    expect(existsSync(nowhere)).toBe(false);
  });
});

/** A folder of its own, and a server that writes reports there every second. */
class Schedule {
  private server: Server | undefined;

  private constructor(
    readonly folder: string,
    private readonly remove: () => Promise<void>,
  ) {}

  /** A test with a schedule, which ends with it. */
  static test(run: (schedule: Schedule) => Promise<void>): () => Promise<void> {
    return async () => {
      const { path, remove } = await temporaryFolder();
      const schedule = new Schedule(path, remove);
      try {
        await run(schedule);
      } finally {
        await schedule.close();
      }
    };
  }

  get path(): string {
    return join(this.folder, 'reports/of/all');
  }

  async start(settings: Record<string, string> = {}): Promise<Server> {
    return (this.server = await Server.start({
      DATABASE_PATH: join(this.folder, 'metrics.db'),
      REPORTS_SCHEDULE: '* * * * * *',
      REPORTS_PATH: this.path,
      ...settings,
    }));
  }

  /** What there is to see of them. */
  async runs(): Promise<string[]> {
    return (await readdir(this.path).catch(() => [])).filter((name) => !name.startsWith('.')).sort();
  }

  private async close(): Promise<void> {
    await this.server?.stop();
    await this.remove();
  }
}

describe('reports on a schedule', () => {
  const metric = async (api: Server, name: string): Promise<number> =>
    Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(String((await api.get('/metrics')).body))?.[1]);
  const until = async (condition: () => Promise<boolean> | boolean): Promise<void> => {
    while (!(await condition())) await setTimeout(50);
  };

  it.concurrent(
    'have a page for each device, however it is called, and an index that links them',
    Schedule.test(async (schedule) => {
      const api = await schedule.start({ REPORTS_TIMEZONE: 'Europe/Berlin' });
      const names = ['pc', 'PC', '../../pc', '...', 'a\\b', 'Küche <1>', 'x'.repeat(128), 'index'];
      await api.post('/api/v1/aggregator/metrics/batch/', [
        ...names.map((name) => ({ device_name: name, metric_name: 'load', value: 1 })),
        { device_name: 'silent', metric_name: 'load', samples: [[Date.now() - 30 * HOUR, 1]] },
      ]);
      const sent = nameOf(Date.now());
      await until(async () => (await schedule.runs()).some((name) => name > sent));

      const run = (await schedule.runs()).at(-1) ?? '';
      const files = await readdir(join(schedule.path, run));
      expect(files).toHaveLength(names.length + 1);
      expect(new Set(files.map((file) => file.toLowerCase())).size).toBe(files.length);
      const index = await readFile(join(schedule.path, run, 'index.html'), 'utf8');
      const links = new Map(
        [...index.matchAll(/<a href="([^"]+)">([^<]*)<\/a>/g)].map(([, href, name]) => [name, href]),
      );
      expect([...links.keys()].sort()).toEqual(names.map((name) => name.replace('<1>', '&lt;1&gt;')).sort());
      expect(links.get('pc')).toBe('pc.html');
      for (const [name, href] of links) {
        expect(await readFile(join(schedule.path, run, href ?? ''), 'utf8')).toContain(`<h1>${name}</h1>`);
      }
      expect(text(index)).toContain('Europe/Berlin');
      expect(index.split('Without samples in this time')[1]).toContain('<li>silent</li>');
      expect(await metric(api, 'device_metrics_reports_written_total')).toBeGreaterThan(0);
      expect(await metric(api, 'device_metrics_report_failures_total')).toBe(0);
    }),
  );

  it.concurrent(
    'replace the oldest, but leave alone what is not theirs',
    Schedule.test(async (schedule) => {
      const api = await schedule.start({ REPORTS_KEEP: '2' });
      await api.post('/api/v1/aggregator/metrics', { device_name: 'pc', metric_name: 'load', value: 1 });
      const page = String((await api.get('/api/v1/reports/print?device=pc')).body);
      const theirs = join(schedule.path, '2020-01-01T00-00-00.000Z');
      const mixed = join(schedule.path, '2020-01-02T00-00-00.000Z');
      const crashed = join(schedule.path, '.unfinished-2020-01-03T00-00-00.000Z');
      for (const one of [theirs, mixed, crashed]) await mkdir(one, { recursive: true });
      await writeFile(join(schedule.path, 'notes.txt'), 'mine');
      await writeFile(join(theirs, 'index.html'), '<p>mine</p>');
      await writeFile(join(mixed, 'mine.html'), '<p>mine</p>');
      for (const file of ['pc.html', 'index.html']) await writeFile(join(mixed, file), page);

      const written = await metric(api, 'device_metrics_reports_written_total');
      await until(async () => (await metric(api, 'device_metrics_reports_written_total')) >= written + 4);
      await api.stop();

      expect(await schedule.runs()).toEqual([
        '2020-01-01T00-00-00.000Z',
        '2020-01-02T00-00-00.000Z',
        expect.stringMatching(/^20[2-9]\d-.*Z$/),
        expect.stringMatching(/^20[2-9]\d-.*Z$/),
        'notes.txt',
      ]);
      expect(await readdir(theirs)).toEqual(['index.html']);
      expect(await readdir(mixed)).toEqual(['mine.html']);
      expect((await readdir(schedule.path)).filter((name) => name.startsWith('.'))).toEqual([]);
    }),
  );

  it.concurrent(
    `are seen when they are whole${isLong ? ', and skip a time at which the ones before are still written' : ''}`,
    Schedule.test(async (schedule) => {
      const other = schedule.path;
      const api = await schedule.start({});
      const devices = Array.from({ length: isLong ? 400 : 60 }, (_, index) => `device-${index}`);
      const skipped = 'still being written: those of now are skipped';
      const metrics = Array.from({ length: 8 }, (_, index) => [`metric-${index}`.replace('-', '_'), index] as const);
      const reading = { timestamp: Date.now(), values: Object.fromEntries(metrics) };
      await api.post(
        '/api/v1/aggregator/metrics/batch/',
        devices.map((device_name) => ({ device_name, ...reading })),
      );
      const sizes = new Set<number>();
      await until(async () => {
        const seen = (await readdir(other).catch(() => [])).filter((name) => !name.startsWith('.'));
        for (const name of seen) sizes.add((await readdir(join(other, name))).length);
        // Which takes that they take longer than a second.
        return sizes.has(devices.length + 1) && (!isLong || api.log.some((line) => line.includes(skipped)));
      });
      // Runs from before the samples came have an index only.
      expect([...sizes].filter((size) => size !== 1 && size !== devices.length + 1)).toEqual([]);
      expect(await api.stop()).toBe(0);
      expect((await readdir(other)).filter((name) => name.startsWith('.'))).toEqual([]);
    }),
    180_000,
  );

  it.concurrent(
    'that fail are in the log and in the metrics, and the next are tried again',
    Schedule.test(async (schedule) => {
      const blocked = join(schedule.folder, 'blocked');
      await writeFile(blocked, 'a file where a folder should be');
      const api = await schedule.start({ REPORTS_PATH: blocked });
      await until(async () => (await metric(api, 'device_metrics_report_failures_total')) >= 2);
      expect(api.log.join('\n')).toMatch(/Reports could not be written to .*blocked: EEXIST/);
      expect((await api.get('/healthz')).status).toBe(200);
    }),
  );

  it.concurrent(
    'are refused at the start with every mistake in their settings',
    Schedule.test(async (schedule) => {
      const settings = {
        REPORTS_SCHEDULE: 'daily',
        REPORTS_TIMEZONE: 'Berlin',
        REPORTS_TIME_RANGE: '0',
        REPORTS_KEEP: '0',
      };
      await expect(schedule.start(settings)).rejects.toThrow(
        /REPORTS_TIME_RANGE must be .*got "0"[^]*REPORTS_TIMEZONE must be .*got "Berlin"[^]*REPORTS_SCHEDULE must be .*got "daily"[^]*REPORTS_KEEP must be .*got "0"/,
      );
    }),
  );
});

/** What a run of a time is called. */
const nameOf = (time: number): string => new Date(time).toISOString().replaceAll(':', '-');
