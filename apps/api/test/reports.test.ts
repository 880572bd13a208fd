import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';
import { readWorkbook } from './workbook.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const START = Date.now() - 3_600_000;
const iso = (time: number): string => new Date(time).toISOString();

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db') });
  const { status } = await server.post('/api/v1/aggregator/metrics/batch/', [
    {
      device_name: 'pc',
      metric_name: 'load',
      labels: { cpu: '0' },
      samples: [
        [START, 1],
        [START + 1000, 3],
      ],
    },
    { device_name: 'pc', metric_name: 'load', labels: { cpu: '1' }, samples: [[START + 500, 8]] },
    {
      device_name: 'pc',
      metric_name: 'system.uptime',
      samples: [
        [START - 30 * 3_600_000, 5],
        [START, 6],
      ],
    },
    { device_name: 'ups', metric_name: 'hw.temperature', samples: [[START, 20]] },
  ]);
  expect(status).toBe(200);
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

describe('the device report', () => {
  it('has the samples of the range: its start included, its end not', async () => {
    const query = `start_time=${START}&end_time=${encodeURIComponent(iso(START + 1000).replace('Z', '+00:00'))}`;
    const { status, body } = await server.get(`/api/v1/reports/metrics/pc/?${query}`);

    expect(status).toBe(200);
    expect(body).toMatchObject({ device_name: 'pc', start_time: iso(START), end_time: iso(START + 1000) });
    expect(body.series.map((s: { labels: unknown; samples: unknown }) => [s.labels, s.samples])).toEqual([
      [{ cpu: '0' }, [[iso(START), 1]]],
      [{ cpu: '1' }, [[iso(START + 500), 8]]],
      [{}, [[iso(START), 6]]],
    ]);
  });

  it('is of the last 24 hours by default', async () => {
    const { body } = await server.get('/api/v1/reports/metrics/pc');
    expect(body.series.map((s: { samples: unknown[] }) => s.samples.length)).toEqual([2, 1, 1]);
  });

  it('of a name with a stray % is a 400 that quotes the path', async () => {
    const { status, body } = await server.get('/api/v1/reports/metrics/100%');
    expect(status).toBe(400);
    expect(body.detail).toContain('two digits for each byte that is escaped, got "/api/v1/reports/metrics/100%"');
  });

  it('of a name that is too long is a 414 that says how long it may be', async () => {
    const { status, body } = await server.get(`/api/v1/reports/metrics/${'x'.repeat(2049)}`);
    expect(status).toBe(414);
    expect(body.detail).toContain('at most 2048 characters');
  });

  it('of an unknown device is a 404 that names it', async () => {
    const { status, body } = await server.get('/api/v1/reports/metrics/lab%2Fpc-9');
    expect(status).toBe(404);
    expect(body.detail).toContain('There is no device "lab/pc-9"');
  });
});

const load = {
  device_name: 'pc',
  metric_name: 'load',
  series: 2,
  count: 3,
  min: 1,
  max: 8,
  mean: 4,
  last: 3,
  as: 'value',
};
const loads = [
  { ...load, labels: { cpu: '0' }, series: 1, count: 2, max: 3, mean: 2 },
  { ...load, labels: { cpu: '1' }, series: 1, count: 1, min: 8, mean: 8, last: 8 },
];
const uptime = {
  device_name: 'pc',
  metric_name: 'system.uptime',
  unit: 's',
  labels: {},
  as: 'value',
  series: 1,
  count: 1,
  min: 6,
  max: 6,
  mean: 6,
  last: 6,
};
const temperature = {
  device_name: 'ups',
  metric_name: 'hw.temperature',
  unit: 'Cel',
  labels: {},
  as: 'value',
  series: 1,
  count: 1,
  min: 20,
  max: 20,
  mean: 20,
  last: 20,
};
const summaries = async (query: string): Promise<any[]> =>
  (await server.get(`/api/v1/reports/summary${query}`)).body.summaries;

describe('the summary', () => {
  it('has count, min, max, mean, last and last time of each series', async () => {
    const { status, body } = await server.get('/api/v1/reports/summary?time_range=2');

    expect(status).toBe(200);
    expect(Date.parse(body.start_time)).toBeLessThanOrEqual(Date.now() - 2 * 3_600_000);
    expect(body.summaries).toEqual([
      { ...loads[0], last_time: iso(START + 1000) },
      { ...loads[1], last_time: iso(START + 500) },
      { ...uptime, last_time: iso(START) },
      { ...temperature, last_time: iso(START) },
    ]);
  });

  it('covers 24 hours by default and more when asked', async () => {
    const count = async (query: string): Promise<number> => (await summaries(query))[2].count;
    expect(await count('')).toBe(1);
    expect(await count('?time_range=48.5')).toBe(2);
    expect(await count('?start_time=-2d&end_time=now')).toBe(2);
  });

  it('filters by device, metric and labels', async () => {
    const names = async (query: string): Promise<unknown[]> =>
      (await summaries(query)).map((row) => [row.device_name, row.metric_name]);
    expect(await names('?device_name=u*')).toEqual([['ups', 'hw.temperature']]);
    expect(await names('?metric_name=load&metric_name=hw.*&group_by=device')).toEqual([
      ['pc', 'load'],
      ['ups', 'hw.temperature'],
    ]);
    expect(await summaries('?label=cpu=1')).toMatchObject([{ metric_name: 'load', count: 1, max: 8 }]);
  });

  it('groups by labels, or over all devices', async () => {
    expect(await summaries('?metric_name=load&group_by=device,label')).toMatchObject([
      { device_name: 'pc', labels: { cpu: '0' }, count: 2, mean: 2 },
      { device_name: 'pc', labels: { cpu: '1' }, count: 1, mean: 8 },
    ]);
    expect(await summaries('?metric_name=load&group_by=label:cpu')).toMatchObject([
      { labels: { cpu: '0' } },
      { labels: { cpu: '1' } },
    ]);
    const [over] = await summaries('?metric_name=load&group_by=metric');
    expect(over).toMatchObject({ count: 3, series: 2 });
    expect(over).not.toHaveProperty('device_name');
  });

  it('sorts and pages', async () => {
    const names = (rows: any[]): unknown[] => rows.map((row) => row.metric_name);
    expect(names(await summaries('?group_by=device&sort=-max'))).toEqual(['hw.temperature', 'load', 'system.uptime']);
    const { body, headers } = await server.get('/api/v1/reports/summary?group_by=device&sort=-max&limit=2');
    expect(names(body.summaries)).toEqual(['hw.temperature', 'load']);
    const next = /<(.*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1] ?? '';
    const last = await server.get(next);
    expect(names(last.body.summaries)).toEqual(['system.uptime']);
    expect(last.headers.get('link')).toBeNull();
  });

  it('pages by a key: what comes or goes meanwhile neither doubles nor hides a row', async () => {
    const seen: unknown[] = [];
    let next: string | undefined = '/api/v1/reports/summary?device_name=page-*&limit=1';
    const add = (device_name: string): Promise<unknown> =>
      server.post('/api/v1/aggregator/metrics/', { device_name, metric_name: 'm', value: 1 });
    for (const name of ['page-b', 'page-c', 'page-d']) await add(name);
    while (next) {
      const { body, headers } = await server.get(next);
      seen.push(...body.summaries.map((row: any) => row.device_name));
      if (seen.length === 1) await add('page-a');
      if (seen.length === 2) await fetch(`${server.url}/api/v1/devices/page-b`, { method: 'DELETE' });
      next = /<(.*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
    }
    expect(seen).toEqual(['page-b', 'page-c', 'page-d']);
    for (const name of ['page-a', 'page-c', 'page-d']) {
      await fetch(`${server.url}/api/v1/devices/${name}`, { method: 'DELETE' });
    }
  });

  describe('has numbers that a person means:', () => {
    const SECOND = 1000;
    const at = (seconds: number): number => START - 1800 * SECOND + seconds * SECOND;
    const run = (metric_name: string, labels: object, values: number[], unit: string, every = 60): object => ({
      device_name: 'meaning',
      ...{ metric_name, labels, unit },
      samples: values.map((value, index) => [at(index * every), value]),
    });
    const rows = (query: string): Promise<any[]> => summaries(`?device_name=meaning&${query}`);
    beforeAll(async () => {
      const memory = (state: string, values: number[]): object =>
        run('system.memory.usage', { 'system.memory.state': state }, values, 'By');
      const cpu = (mode: string, values: number[]): object =>
        run('system.cpu.time', { 'cpu.logical_number': '0', 'cpu.mode': mode }, values, 's');
      const unit = (state: string, values: number[]): object =>
        run('systemd.unit.state', { 'systemd.unit.name': 'a', 'systemd.unit.active_state': state }, values, '1');
      const { body } = await server.post('/api/v1/aggregator/metrics/batch/', [
        ...[memory('used', [6e9, 7e9, 8e9]), memory('free', [2e9, 2e9, 1e9]), memory('cached', [2e9, 1e9, 1e9])],
        ...[cpu('user', [1000, 1030, 1060]), cpu('idle', [9000, 9030, 9060])],
        ...[unit('active', [1, 0, 0]), unit('failed', [0, 1, 1])],
        run('meter.energy_total', {}, [100, 160, 10, 70], 'J'),
        run('room.temperature', { sensor: 'a' }, [20, 22], 'Cel'),
        run('room.temperature', { sensor: 'b' }, [70, 72], '[degF]'),
      ]);
      expect(body.rejected).toEqual([]);
    });
    afterAll(async () => {
      await fetch(`${server.url}/api/v1/devices/meaning`, { method: 'DELETE' });
    });

    it('over states the share of those that the catalogue names, at each reading', async () => {
      const [row] = await rows('metric_name=system.memory.usage&group_by=device&quantile=p50');
      expect(row).toMatchObject({ as: 'share', unit: '1', series: 3, count: 9, min: 0.6, max: 0.8, last: 0.8 });
      expect(row.mean).toBeCloseTo(0.7, 9);
      expect(row.quantiles.p50).toBeCloseTo(0.7, 9);
    });

    it('of one state its own value', async () => {
      const used = encodeURIComponent('system.memory.state=used');
      const [row] = await rows(`metric_name=system.memory.usage&group_by=device&label=${used}`);
      expect(row).toMatchObject({ as: 'value', unit: 'By', min: 6e9, max: 8e9, mean: 7e9, last: 8e9 });
    });

    it('of a counter how fast and how much it grew, whether it started again or not', async () => {
      const [row] = await rows(`metric_name=meter.*&start_time=${at(0)}&end_time=${at(300)}`);
      expect(row).toMatchObject({ as: 'rate', unit: 'W', count: 4, increase: 130, max: 1, last: 1 });
      expect(row.mean).toBeCloseTo(130 / 180, 9);
      expect(row.min).toBeCloseTo(10 / 60, 9);
    });

    it('of a counter over states the share of what it grew', async () => {
      const [row] = await rows('metric_name=system.cpu.time&group_by=device');
      expect(row).toMatchObject({ as: 'share', unit: '1', min: 0.5, max: 0.5, mean: 0.5, last: 0.5, increase: 120 });
    });

    it('of states of which one is on, that state', async () => {
      const [row] = await rows('metric_name=systemd.unit.state&group_by=device');
      expect(row).toMatchObject({ as: 'state', state: 'failed', mean: null, last: null });
    });

    it('of units that differ rows of their own', async () => {
      const found = await rows('metric_name=room.temperature&group_by=metric');
      expect(found.map(({ unit, mean }) => [unit, mean])).toEqual([
        ['Cel', 21],
        ['[degF]', 71],
      ]);
    });

    it('against the period before', async () => {
      const range = `metric_name=room.temperature&label=sensor=a&start_time=${at(60)}&end_time=${at(120)}`;
      const [row] = await rows(`${range}&offset=1m&sort=-percent`);
      expect(row).toMatchObject({ mean: 22, before: 20, difference: 2, percent: 10 });
      const [none] = await rows(`${range}&offset=1y`);
      expect(none).toMatchObject({ mean: 22, before: null, difference: null, percent: null });
    });
  });

  it('has quantiles on request', async () => {
    const [row] = await summaries('?metric_name=load&group_by=device&quantile=p50,p100');
    expect(row).toMatchObject({ ...load, quantiles: { p50: 3, p100: 8 } });
    const csv = await server.get('/api/v1/reports/summary?metric_name=load&group_by=device&quantile=p50&format=csv');
    expect(csv.body).toBe(
      'device_name,metric_name,unit,labels,tags,series,count,min,max,mean,last,p50,last_time,as,increase,state\r\n' +
        `pc,load,,,,2,3,1,8,4,3,3,${iso(START + 1000)},value,,\r\n`,
    );
  });

  it('says how many of the readings of each device have arrived, also when it sent none', async () => {
    const minute = 60_000;
    const start = START - 10 * minute;
    const readings = Array.from({ length: 20 }, (_, index) => [start + index * minute, index]);
    await server.post('/api/v1/aggregator/metrics/batch/', [
      // Every fourth reading is lost, and the last was half an hour ago.
      { device_name: 'lossy', metric_name: 'a', samples: readings.filter((_, index) => index % 4 !== 1) },
      { device_name: 'lossy', metric_name: 'b', samples: readings.slice(0, 3) },
    ]);
    const arrivals = async (query: string): Promise<unknown> =>
      (await server.get(`/api/v1/reports/summary?device_name=lossy&${query}`)).body.devices;
    const lossy = { device_name: 'lossy', interval: minute };
    const range = `start_time=${start}&end_time=${start + 20 * minute}`;
    expect(await arrivals(range)).toEqual([{ ...lossy, expected: 20, arrived: 15, share: 0.75 }]);
    expect(await arrivals(`metric_name=b&${range}`)).toEqual([{ ...lossy, expected: 20, arrived: 15, share: 0.75 }]);
    expect(await arrivals(`start_time=${start + 20 * minute}&end_time=${start + 30 * minute}`)).toEqual([
      { ...lossy, expected: 10, arrived: 0, share: 0 },
    ]);
    // Between two readings none is missing.
    const between = `start_time=${start + 2 * minute + 1000}&end_time=${start + 3 * minute - 1000}`;
    expect(await arrivals(between)).toEqual([{ ...lossy, arrived: 0 }]);
    const { body } = await server.get(`/api/v1/reports/summary?device_name=lossy&${range}&limit=1`);
    expect(await arrivals(`${range}&limit=1&cursor=${body.next_cursor}`)).toEqual(body.devices);
    await fetch(`${server.url}/api/v1/devices/lossy`, { method: 'DELETE' });
  });

  it('a device that is read more often than before has missed nothing', async () => {
    const [minute, start] = [60_000, START - 50 * 60_000];
    const slow = Array.from({ length: 30 }, (_, index) => [start + index * minute, 1]);
    const fast = Array.from({ length: 120 }, (_, index) => [start + 30 * minute + index * 10_000, 1]);
    await server.post('/api/v1/aggregator/metrics/batch/', [
      { device_name: 'faster', metric_name: 'a', samples: [...slow, ...fast] },
    ]);
    const range = `start_time=${start}&end_time=${start + 50 * minute}`;
    const { body } = await server.get(`/api/v1/reports/summary?device_name=faster&${range}`);
    expect(body.devices).toEqual([{ device_name: 'faster', interval: 10_000, expected: 150, arrived: 150, share: 1 }]);
    await fetch(`${server.url}/api/v1/devices/faster`, { method: 'DELETE' });
  });

  it('comes as csv, ndjson and xlsx too', async () => {
    const csv = await server.get('/api/v1/reports/summary?device_name=ups&format=csv');
    expect(csv.body).toBe(
      'device_name,metric_name,unit,labels,tags,series,count,min,max,mean,last,last_time,as,increase,state\r\n' +
        `ups,hw.temperature,Cel,{},,1,1,20,20,20,20,${iso(START)},value,,\r\n`,
    );
    const { body, headers } = await server.get('/api/v1/reports/summary?device_name=ups', {
      accept: 'application/x-ndjson',
    });
    expect(headers.get('content-type')).toContain('application/x-ndjson');
    expect(JSON.parse(String(body))).toEqual({ ...temperature, last_time: iso(START) });

    const xlsx = await fetch(`${server.url}/api/v1/reports/summary?device_name=ups&format=xlsx`);
    expect(xlsx.headers.get('content-disposition')).toMatch(/filename="summary-.*\.xlsx"/);
    const sheet = readWorkbook(Buffer.from(await xlsx.arrayBuffer())).sheets.get('Report 1');
    expect(Object.values(sheet?.[1] ?? {}).flatMap(Object.values)).toEqual(csv.body.split('\r\n')[0].split(','));
    const cells = ['ups', 'hw.temperature', 'Cel', '{}', '', 1, 1, 20, 20, 20, 20, START, 'value', ''];
    expect(Object.values(sheet?.[2] ?? {}).flatMap(Object.values)).toEqual(cells);
  });
});

it('the latest sample of every series', async () => {
  expect((await server.get('/api/v1/reports/latest?metric_name=load')).body.samples).toEqual([
    { device_name: 'pc', metric_name: 'load', labels: { cpu: '0' }, value: 3, timestamp: iso(START + 1000) },
    { device_name: 'pc', metric_name: 'load', labels: { cpu: '1' }, value: 8, timestamp: iso(START + 500) },
  ]);
  expect((await server.get('/api/v1/reports/latest')).body.samples).toHaveLength(4);
});

it('the latest samples are not older than asked', async () => {
  const names = async (age: string): Promise<unknown[]> =>
    (await server.get(`/api/v1/reports/latest?max_age=${age}`)).body.samples.map((s: any) => s.metric_name);
  expect(await names('30m')).toEqual([]);
  expect(await names('2h')).toHaveLength(4);
});

describe('availability', () => {
  const minute = 60_000;
  const start = START - 300 * minute;
  /** Silent from minute 100 to 130, and from minute 200 on. */
  const minutes = [...Array.from({ length: 101 }, (_, i) => i), ...Array.from({ length: 71 }, (_, i) => 130 + i)];
  beforeAll(async () => {
    await server.post('/api/v1/aggregator/metrics/batch/', [
      { device_name: 'gone', metric_name: 'a', samples: minutes.map((i) => [start + i * minute, 1]) },
    ]);
    await fetch(`${server.url}/api/v1/devices/gone`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ tags: { room: 'lab' } }),
    });
  });
  afterAll(async () => {
    await fetch(`${server.url}/api/v1/devices/gone`, { method: 'DELETE' });
  });
  const path = (query: string): string =>
    `/api/v1/reports/availability?device_name=gone&start_time=${start}&end_time=${start + 250 * minute}&${query}`;

  it('has start, end and length of each silence, and per cent by device or tag and month', async () => {
    const { body } = await server.get(path(''));
    expect(body.silences).toEqual([
      {
        device_name: 'gone',
        start_time: iso(start + 100 * minute),
        end_time: iso(start + 130 * minute),
        length: 30 * minute,
      },
      { device_name: 'gone', start_time: iso(start + 200 * minute), length: expect.any(Number) },
    ]);
    const numbers = { devices: 1, watched: 250 * minute, silent: 80 * minute, silences: 2, percent: 68 };
    expect(body.totals).toEqual([{ device_name: 'gone', ...numbers }]);
    expect(body.months.every((row: any) => /^\d{4}-\d{2}$/.test(row.month))).toBe(true);
    expect(body.months.reduce((sum: number, row: any) => sum + row.silent, 0)).toBe(80 * minute);
    const byTag = await server.get(path('group_by=tag:room'));
    expect(byTag.body.totals).toEqual([{ tags: { room: 'lab' }, ...numbers }]);
  });

  it('comes as csv of the rows that are asked for', async () => {
    const silences = await server.get(path('rows=silences&format=csv&timezone=Asia/Tokyo'));
    const [title, first] = silences.body.split('\r\n');
    const local = (time: number): string => iso(time + 9 * 60 * minute).replace('Z', '+09:00');
    expect(title).toBe('device_name,start_time,end_time,length');
    expect(first).toBe(`gone,${local(start + 100 * minute)},${local(start + 130 * minute)},${30 * minute}`);
    const totals = await server.get(path('rows=totals&format=csv'));
    expect(totals.body).toBe(
      'device_name,tags,month,percent,silences,silent,watched,devices\r\n' +
        `gone,,,68,2,${80 * minute},${250 * minute},1\r\n`,
    );
  });
});

it('the catalogue names every metric with unit, kind and number of series', async () => {
  expect((await server.get('/api/v1/metrics')).body.metrics).toMatchObject([
    { metric_name: 'hw.temperature', unit: 'Cel', kind: 'gauge', devices: 1, series: 1 },
    { metric_name: 'load', devices: 1, series: 2 },
    { metric_name: 'system.uptime', unit: 's', kind: 'gauge', devices: 1, series: 1 },
  ]);
});

describe('a bad query is a 400 that names the parameter and what is allowed:', () => {
  it.each([
    ['summary?time_range=0', 'time_range must be a number of hours above 0', '"0"'],
    ['summary?time_range=-1', 'time_range must be a number of hours above 0', '"-1"'],
    ['summary?time_range=abc', 'time_range must be a number of hours above 0', '"abc"'],
    ['summary?time_range=', 'time_range must be a number of hours above 0', '""'],
    ['summary?time_range=1&time_range=2', 'time_range must be a number of hours above 0', 'an array of 2'],
    ['summary?range=24', 'range is unknown; allowed are', 'time_range'],
    ['summary?time_range=1&end_time=now', 'time_range must not come together', 'got "1"'],
    ['summary?group_by=room', 'group_by must be of device, metric, label', '"room"'],
    ['summary?quantile=mean', 'quantile must be a percentile from p0 to p100', '"mean"'],
    ['summary?tag=room', 'tag must be name=value as in room=lab', '"room"'],
    ['summary?sort=size', 'sort must be one of device_name', '"size"'],
    ['summary?sort=-percent', 'sort goes with offset, which is missing', '"-percent"'],
    ['metrics/pc?start_time=yesterday', 'start_time must be an RFC 3339 time', '"yesterday"'],
    [
      `metrics/pc?start_time=${Math.floor(START / 1000)}`,
      `, which looks like seconds: in milliseconds it is ${Math.floor(START / 1000)}000`,
      `"${Math.floor(START / 1000)}"`,
    ],
    [`summary?end_time=${START}000000`, 'which looks like nanoseconds: in milliseconds it is', `"${START}000000"`],
    ['metrics/pc?step=1d&start_time=-8000000000000000', 'start_time must be an RFC 3339 time', '"-8000000000000000"'],
    ['metrics/pc?start_time=-999999y', 'start_time must be an RFC 3339 time', '"-999999y"'],
    ['latest?metric_name=', 'metric_name must be a name of 1 to 255 characters', 'got ""'],
    ['metrics/pc?end_time=99999999999999999', 'end_time must be an RFC 3339 time', '"99999999999999999"'],
    ['metrics/pc?start_time=2026-01-15T10:00:00+01:00', 'write + as %2B', '2026-01-15T10:00:00 01:00'],
    [
      'metrics/pc?start_time=2026-01-16T00:00:00Z&end_time=2026-01-15T00:00:00Z',
      'end_time must be after start_time',
      '2026-01-16',
    ],
    ['metrics/pc?start=1', 'start is unknown; allowed are', 'start_time, end_time'],
  ])('%s', async (path, detail, quoted) => {
    const { status, body, headers } = await server.get(`/api/v1/reports/${path}`);

    expect(status).toBe(400);
    expect(headers.get('content-type')).toContain('application/problem+json');
    expect(body.detail).toContain(detail);
    expect(body.detail).toContain(quoted);
    expect(body.errors).toHaveLength(1);
  });
});
