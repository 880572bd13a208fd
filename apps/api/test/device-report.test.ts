import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MINUTE } from '@device-metrics/domain';
import { Server, temporaryFolder } from './server.js';
import { readWorkbook } from './workbook.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
/** A full hour some hours ago. */
const START = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 5 * 3_600_000;
const iso = (time: number): string => new Date(time).toISOString();

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db') });
  const run = (metric_name: string, labels: object, values: number[], gap = 20_000): object => ({
    device_name: 'pc',
    metric_name,
    labels,
    samples: values.map((value, i) => [START + i * gap, value]),
  });
  const { body } = await server.post('/api/v1/aggregator/metrics/batch/', [
    run('load', { cpu: '0' }, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
    run('load', { cpu: '1' }, [10, 20]),
    run('io, "total"'.replace(/\W+/g, '_'), {}, [100, 160, 10, 70], MINUTE),
    run('gap', { note: 'a "quoted", =text' }, [1, 2], 3 * MINUTE),
    { ...run('huge', {}, [1e308, 1e308]), device_name: 'huge' },
    ...Array.from({ length: 40 }, (_, cpu) => ({ ...run('many', { cpu: String(cpu) }, [1]), device_name: 'many' })),
  ]);
  expect(body.rejected).toEqual([]);
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const path = (query: string): string =>
  `/api/v1/reports/metrics/pc?start_time=${START}&end_time=${START + 5 * MINUTE}&${query}`;
const series = async (query: string): Promise<any[]> => (await server.get(path(query))).body.series;
const rows = async (query: string): Promise<any> => (await series(query))[0].samples;

describe('filters', () => {
  it('by metric with wildcards, and by labels', async () => {
    const names = async (query: string): Promise<unknown[]> =>
      (await series(query)).map((s: any) => [s.metric_name, s.labels.cpu]);
    expect(await names('metric_name=lo*&label=cpu=1')).toEqual([['load', '1']]);
    expect(await names('metric_name=gap&metric_name=load')).toEqual([
      ['gap', undefined],
      ['load', '0'],
      ['load', '1'],
    ]);
    expect(await names('metric_name=nothing')).toEqual([]);
  });
});

describe('steps', () => {
  it('aggregate, several at once', async () => {
    const { body } = await server.get(
      path('metric_name=load&label=cpu=0&step=1m&aggregation=mean,max&aggregation=p50'),
    );
    expect(body).toMatchObject({ step: MINUTE, columns: ['mean', 'max', 'p50'] });
    expect(body.series[0].samples).toEqual([
      [iso(START), 2, 3, 2],
      [iso(START + MINUTE), 5, 6, 5],
      [iso(START + 2 * MINUTE), 8, 9, 8],
    ]);
  });

  it('are of the mean by default, and auto gives about 500 points', async () => {
    expect(await rows('metric_name=load&label=cpu=1&step=5m')).toEqual([[iso(START), 15]]);
    const { body } = await server.get(path('step=auto'));
    expect(body).toMatchObject({ step: 1000, columns: ['mean'] });
    const year = await server.get(path('step=100y&aggregation=mean,mean,max&aggregation=mean'));
    expect(year.body).toMatchObject({ start_time: '2000-01-01T00:00:00.000Z', columns: ['mean', 'max'] });
  });

  it('give rate and increase of a counter that starts again', async () => {
    expect(await rows('metric_name=io*&step=1m&aggregation=increase,rate')).toEqual([
      [iso(START + MINUTE), 60, 1],
      [iso(START + 2 * MINUTE), 10, 10 / 60],
      [iso(START + 3 * MINUTE), 60, 1],
    ]);
  });

  it('without samples are left out, null, or the one before', async () => {
    const values = async (fill: string): Promise<unknown[]> =>
      (await rows(`metric_name=gap&step=1m&fill=${fill}`)).map(([, value]: unknown[]) => value);
    expect(await values('none')).toEqual([1, 2]);
    expect(await values('null')).toEqual([1, null, null, 2, null]);
    expect(await values('previous')).toEqual([1, 1, 1, 2, 2]);
  });

  it('begin with the sample before the range, and with what a counter had grown to', async () => {
    const start = `start_time=${encodeURIComponent(iso(START + 2 * MINUTE))}`;
    const { body } = await server.get(
      `/api/v1/reports/metrics/pc?metric_name=gap&step=1m&fill=previous&aggregation=last,count,sum,increase&${start}` +
        `&end_time=${encodeURIComponent(iso(START + 5 * MINUTE))}`,
    );
    expect(body.series[0].samples.map(([, ...values]: unknown[]) => values)).toEqual([
      [1, 0, 0, null],
      [2, 1, 2, 1],
      [2, 0, 0, null],
    ]);
  });

  it('take plain dates as midnight in the time zone, and give csv and spreadsheets their local times', async () => {
    const day = new Date(START + 9 * 3_600_000).toISOString().slice(0, 10);
    const next = new Date(START + 33 * 3_600_000).toISOString().slice(0, 10);
    const dates = `start_time=${day}&end_time=${next}&timezone=Asia/Tokyo`;
    const { body } = await server.get(`/api/v1/reports/metrics/pc?metric_name=gap&${dates}`);
    expect(body).toMatchObject({ start_time: iso(Date.parse(`${day}T00:00:00+09:00`)) });
    const bytes = async (query: string): Promise<Buffer> =>
      Buffer.from(
        await (await fetch(`${server.url}/api/v1/reports/metrics/pc?metric_name=gap&${dates}&${query}`)).arrayBuffer(),
      );
    const csv = (await bytes('format=csv&bom=true')).toString();
    expect(csv.startsWith('\uFEFFdevice_name,')).toBe(true);
    const local = START + 9 * 3_600_000;
    expect(csv).toContain(`,${iso(local).replace('Z', '+09:00')},1\r\n`);
    const sheet = readWorkbook(await bytes('format=xlsx')).sheets.get('Report 1');
    expect(sheet?.[1]).toMatchObject({ E: { text: 'timestamp' }, F: { text: 'utc_offset' }, G: { text: 'value' } });
    expect(sheet?.[2]).toMatchObject({ E: { time: local }, F: { text: '+09:00' }, G: { number: 1 } });
  });

  it('of a day are days of the time zone', async () => {
    const [[time]] = await rows('metric_name=gap&step=1d&timezone=Asia/Kathmandu');
    expect(new Date(Date.parse(time) + 5.75 * 3_600_000).toISOString()).toContain('T00:00:00.000Z');
  });
});

describe('pages', () => {
  it('by cursor give every row of the report once', async () => {
    const whole = (await series('')).flatMap((s: any) =>
      s.samples.map((row: unknown) => [s.metric_name, s.labels, row]),
    );
    const pages: unknown[] = [];
    let next: string | undefined = path('limit=4');
    while (next) {
      const { body, headers } = await server.get(next);
      const page = body.series.flatMap((s: any) => s.samples.map((row: unknown) => [s.metric_name, s.labels, row]));
      expect(page.length).toBeLessThanOrEqual(4);
      pages.push(...page);
      next = /<(.*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
      expect(body.next_cursor === undefined).toBe(next === undefined);
    }
    expect(whole).toHaveLength(17);
    expect(pages).toEqual(whole);
  });
});

describe('formats', () => {
  it('csv has one header line, quotes by RFC 4180, and leaves no formula to a spreadsheet', async () => {
    const { body, headers } = await server.get(path('metric_name=gap&format=csv'));
    expect(headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(headers.get('content-disposition')).toContain(`pc-${iso(START).replaceAll(':', '-')}.csv`);
    expect(body).toBe(
      'device_name,metric_name,unit,labels,timestamp,value\r\n' +
        `pc,gap,,"{""note"":""a \\""quoted\\"", =text""}",${iso(START)},1\r\n` +
        `pc,gap,,"{""note"":""a \\""quoted\\"", =text""}",${iso(START + 3 * MINUTE)},2\r\n`,
    );
  });

  it('xlsx has the columns of the csv: texts as texts, numbers as numbers, times as times', async () => {
    const answer = await fetch(server.url + path('metric_name=gap&step=1m&fill=null&format=xlsx'));
    expect(answer.headers.get('content-type')).toBe(
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    );
    expect(answer.headers.get('content-disposition')).toContain('.xlsx"');
    const { sheets } = readWorkbook(Buffer.from(await answer.arrayBuffer()));
    const head = {
      A: { text: 'pc' },
      B: { text: 'gap' },
      C: { text: '' },
      D: { text: '{"note":"a \\"quoted\\", =text"}' },
    };
    const titles = ['device_name', 'metric_name', 'unit', 'labels', 'timestamp', 'mean'];
    expect(sheets.get('Report 1')).toEqual({
      1: Object.fromEntries(titles.map((text, index) => ['ABCDEF'[index], { text }])),
      2: { ...head, E: { time: START }, F: { number: 1 } },
      3: { ...head, E: { time: START + MINUTE } },
      4: { ...head, E: { time: START + 2 * MINUTE } },
      5: { ...head, E: { time: START + 3 * MINUTE }, F: { number: 2 } },
      6: { ...head, E: { time: START + 4 * MINUTE } },
    });
  });

  it('ndjson by the header Accept has a valid metric in each line', async () => {
    const { body } = await server.get(path('metric_name=load&label=cpu=1'), {
      accept: 'text/html, application/x-ndjson',
    });
    const metrics = String(body)
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as unknown);
    expect(metrics).toEqual([
      { device_name: 'pc', metric_name: 'load', labels: { cpu: '1' }, timestamp: iso(START), value: 10 },
      { device_name: 'pc', metric_name: 'load', labels: { cpu: '1' }, timestamp: iso(START + 20_000), value: 20 },
    ]);
    expect((await server.post('/api/v1/aggregator/metrics/batch/', metrics)).body.accepted).toBe(2);
  });
});

it.each([
  ['text/csv;q=0.5, application/x-ndjson', 'application/x-ndjson'],
  ['application/json;q=0.1, text/csv;q=0.2', 'text/csv'],
  ['text/csv;q=0', 'application/json'],
  ['text/csv, application/json', 'text/csv'],
  ['*/*', 'application/json'],
])('Accept: %s is answered with %s', async (accept, type) => {
  const { headers } = await server.get(path('limit=1'), { accept });
  expect(headers.get('content-type')).toContain(type);
});

it('a number beyond what doubles hold is null or empty in every answer', async () => {
  const huge = `/api/v1/reports/metrics/huge?start_time=${START}&step=1h&aggregation=sum,max`;
  expect((await server.get(huge)).body.series[0].samples).toEqual([[iso(START), null, 1e308]]);
  expect((await server.get(`${huge}&format=csv`)).body).toContain(',,1e+308\r\n');
  expect(JSON.parse((await server.get(`${huge}&format=ndjson`)).body)).toMatchObject({ sum: null, max: 1e308 });

  const summary = `/api/v1/reports/summary?device_name=huge&start_time=${START}`;
  expect((await server.get(summary)).body.summaries).toMatchObject([{ count: 2, max: 1e308, mean: null }]);
  expect((await server.get(`${summary}&format=csv`)).body).toContain(',1e+308,1e+308,,1e+308,');
});

describe('a bad parameter is named, with what is allowed:', () => {
  it.each([
    ['step=5', 'step must be a duration such as 30s', '"5"'],
    ['step=1ms', 'step must divide the range into at most 100000 steps, as', 's would, got "1ms"'],
    [
      'step=101y',
      'step must be a duration such as 30s, 5m, 1h or 1d, or 1w, 1mo or 1y of the calendar, up to 100y, or auto',
      '"101y"',
    ],
    ['aggregation=mean', 'aggregation goes with step', 'got "mean"'],
    ['step=1m&aggregation=avg', 'aggregation must be mean, min', '"avg"'],
    ['step=1m&aggregation=p101', 'aggregation must be mean, min', '"p101"'],
    [
      `step=1m&aggregation=${Array.from({ length: 21 }, (_, percent) => `p${percent}`).join()}`,
      'aggregation must be at most 20',
      'got 21',
    ],
    ['step=1m&fill=zero', 'fill must be one of none, null, previous', '"zero"'],
    ['step=5h&timezone=Europe/Berlin', 'step must be whole days, or fit into a day', 'Europe/Berlin, got "5h"'],
    ['end_time=2026-02-30', 'end_time must be an RFC 3339 time', 'such as 2026-01-15, Unix'],
    ['step=1d&timezone=Mars/Olympus', 'timezone must be an IANA time zone', '"Mars/Olympus"'],
    ['limit=0', 'limit must be an integer from 1 to 100000', '"0"'],
    ['cursor=x', 'cursor must be the next_cursor of a page', '"x"'],
    ['label=cpu', 'label must be name=value', '"cpu"'],
    ['format=pdf', 'format must be one of json, csv, ndjson, xlsx', '"pdf"'],
  ])('%s', async (query, detail, quoted) => {
    const { status, body } = await server.get(path(query));
    expect(status).toBe(400);
    expect(body.detail).toContain(detail);
    expect(body.detail).toContain(quoted);
  });
});

it('times may be relative to now', async () => {
  const { body } = await server.get('/api/v1/reports/metrics/pc?start_time=-12h&end_time=now');
  expect(Date.parse(body.end_time) - Date.parse(body.start_time)).toBe(12 * 3_600_000);
  expect(body.series.length).toBe(4);
});

describe('compare', () => {
  const compare = async (query: string): Promise<any> =>
    (await server.get(`/api/v1/reports/compare?start_time=${START}&end_time=${START + 5 * MINUTE}&${query}`)).body;

  it('has one time axis for all series, the largest number first', async () => {
    const body = await compare('metric_name=load&step=1m&aggregation=max');
    expect(body.timestamps).toEqual([0, 1, 2, 3, 4].map((i) => iso(START + i * MINUTE)));
    expect(body.series).toEqual([
      { device_name: 'pc', labels: { cpu: '1' }, value: 20, mean: 15, values: [20, null, null, null, null] },
      { device_name: 'pc', labels: { cpu: '0' }, value: 9, mean: 5, values: [3, 6, 9, null, null] },
    ]);
  });

  it('ranks by what was asked, over the range: counters by how fast they grew', async () => {
    const run = (device_name: string, metric_name: string, values: number[], unit?: string): object => ({
      ...{ device_name, metric_name, ...(unit && { unit }) },
      samples: values.map((value, index) => [START + index * MINUTE, value]),
    });
    await server.post('/api/v1/aggregator/metrics/batch/', [
      run('rank-a', 'rank.bytes_total', [1e9, 1e9 + 60]),
      run('rank-b', 'rank.bytes_total', [0, 600]),
      run('rank-a', 'rank.temperature', [30, 90, 30], 'Cel'),
      run('rank-b', 'rank.temperature', [122, 122, 122], '[degF]'),
      run('rank-a', 'rank.size', [1], 'By'),
      run('rank-b', 'rank.size', [1], 'Cel'),
    ]);
    const ranked = async (query: string): Promise<unknown> =>
      (await compare(query)).series.map((s: any) => [s.device_name, s.value]);
    expect(await ranked('metric_name=rank.bytes_total')).toEqual([
      ['rank-b', 10],
      ['rank-a', 1],
    ]);
    expect(await ranked('metric_name=rank.bytes_total&aggregation=increase&bottom=1')).toEqual([['rank-a', 60]]);
    // 122 °F are 50 °C: the same mean, but not the hottest.
    expect(await ranked('metric_name=rank.temperature&aggregation=max')).toEqual([
      ['rank-a', 90],
      ['rank-b', 50],
    ]);
    expect(await ranked('metric_name=rank.temperature&aggregation=p0')).toEqual([
      ['rank-b', 50],
      ['rank-a', 30],
    ]);
    const means = async (metric: string): Promise<unknown> =>
      (await compare(`metric_name=${metric}&aggregation=max`)).series.map((s: any) => s.mean);
    expect(await means('rank.temperature')).toEqual([50, 50]);
    expect(await means('rank.bytes_total')).toEqual([null, null]);
    const { detail } = await compare('metric_name=rank.size');
    expect(detail).toContain('metric_name has series in "By" and in "Cel", which cannot be compared');
  });

  it('compares with the period before', async () => {
    const range = `start_time=${START + MINUTE}&end_time=${START + 2 * MINUTE}`;
    const { body } = await server.get(
      `/api/v1/reports/compare?metric_name=load&label=cpu=0&step=1m&${range}&offset=1m&rank_by=percent`,
    );
    expect(body).toMatchObject({ before_start_time: iso(START), before_end_time: iso(START + MINUTE) });
    expect(body.series).toMatchObject([{ value: 5, before: 2, difference: 3, percent: 150 }]);
    expect(await compare('metric_name=load&rank_by=percent')).toMatchObject({
      status: 400,
      detail: 'rank_by goes with offset, which is missing, got "percent"',
    });
  });

  it('gives the top or the bottom', async () => {
    const cpus = async (query: string): Promise<unknown[]> =>
      (await compare(`metric_name=load&${query}`)).series.map((s: any) => s.labels.cpu);
    expect(await cpus('top=1')).toEqual(['1']);
    expect(await cpus('bottom=1')).toEqual(['0']);
    expect(await cpus('label=cpu=0&device_name=p*')).toEqual(['0']);
  });

  it.each([
    ['', 'metric_name must be the name of one metric, got nothing'],
    ['metric_name=a&metric_name=b', 'metric_name must be the name of one metric, got an array of 2'],
    ['metric_name=load&top=0', 'top must be an integer from 1 to 1000, got "0"'],
    ['metric_name=load&top=1&bottom=1', 'bottom must not come together with top'],
    ['metric_name=load&aggregation=avg', 'aggregation must be mean, min'],
    [
      'metric_name=many&top=40&step=10ms',
      'step must keep series times steps within 1000000, got 40 times 30000: step=1s would, or fewer series',
    ],
  ])('refuses "%s"', async (query, detail) => {
    expect(await compare(query)).toMatchObject({ status: 400, detail: expect.stringContaining(detail) });
  });
});
