import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const NOW = Date.now();
const iso = (time: number): string => new Date(time).toISOString();

/** Readings of a device at an interval, the last of them so long ago, s. */
const reports = (device_name: string, interval: number, ago: number, count = 20): object => ({
  device_name,
  metric_name: 'hw.temperature',
  samples: Array.from({ length: count }, (_, index) => [
    NOW - ago * 1000 - (count - 1 - index) * interval * 1000,
    index,
  ]),
});

const start = async (): Promise<Server> => Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db') });

beforeAll(async () => {
  folder = await temporaryFolder();
  server = await start();
  const { body } = await server.post('/api/v1/aggregator/metrics/batch/', [
    reports('fast', 60, 0),
    { ...reports('fast', 60, 0), metric_name: 'system.uptime' },
    reports('fast-late', 60, 300),
    reports('fast-off', 60, 900),
    reports('daily', 86_400, 2 * 86_400),
    reports('hourly/late', 3600, 4 * 3600),
    reports('new', 1, 0, 1),
  ]);
  expect(body.rejected).toEqual([]);
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const list = async (query = ''): Promise<any[]> => (await server.get(`/api/v1/devices${query}`)).body.devices;
const names = async (query: string): Promise<string[]> => (await list(query)).map((device) => device.device_name);

describe('the list of devices', () => {
  it('tells online, late and offline by the own rhythm of each', async () => {
    expect((await list()).map(({ device_name, status, interval }) => [device_name, status, interval])).toEqual([
      ['daily', 'online', 86_400_000],
      ['fast', 'online', 60_000],
      ['fast-late', 'late', 60_000],
      ['fast-off', 'offline', 60_000],
      ['hourly/late', 'late', 3_600_000],
      ['new', 'online', undefined],
    ]);
  });

  it('has when each was first and last seen, and when it will be missed', async () => {
    expect((await list('?device_name=fast'))[0]).toEqual({
      device_name: 'fast',
      tags: {},
      status: 'online',
      first_seen: iso(NOW - 19 * 60_000),
      last_seen: iso(NOW),
      interval: 60_000,
      late_at: iso(NOW + 180_000),
      offline_at: iso(NOW + 600_000),
      series: 2,
    });
  });

  it('filters by name and status', async () => {
    expect(await names('?device_name=fast*&status=late&status=offline')).toEqual(['fast-late', 'fast-off']);
    expect(await names('?device_name=nobody')).toEqual([]);
  });
});

const send = async (method: string, name: string, body?: unknown): Promise<{ status: number; body: any }> => {
  const response = await fetch(`${server.url}/api/v1/devices/${encodeURIComponent(name)}`, {
    method,
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
};

describe('what is said of a device', () => {
  it('changes by parts, null takes away, and it outlives a restart', async () => {
    const tags = { room: 'lab', owner: 'optics' };
    expect(await send('PATCH', 'hourly/late', { display_name: 'Weather', notes: 'on the\nroof', tags })).toMatchObject({
      status: 200,
      body: { device_name: 'hourly/late', display_name: 'Weather', notes: 'on the\nroof', tags },
    });
    await send('PATCH', 'hourly/late', { notes: null, tags: { owner: null, floor: '4' } });
    await send('PATCH', 'fast', { tags: { room: 'lab' } });
    await server.stop();
    server = await start();
    const { body } = await send('GET', 'hourly/late');
    expect(body).toMatchObject({ display_name: 'Weather', tags: { floor: '4', room: 'lab' } });
    expect(body).not.toHaveProperty('notes');
  });

  it('takes tags of any name', async () => {
    const tags = { toString: 'a', constructor: 'b' };
    expect((await send('PATCH', 'hourly/late', { tags })).body.tags).toMatchObject(tags);
    const { body } = await send('PATCH', 'hourly/late', { tags: { toString: null, constructor: null } });
    expect(Object.keys(body.tags)).toEqual(['floor', 'room']);
  });

  it('is not changed by who has read another state of it, where they say what they have read', async () => {
    const { headers, body: read } = await server.get('/api/v1/devices/fast');
    expect(headers.get('etag')).toBe(read.etag);
    const patch = (change: object) => server.send('PATCH', '/api/v1/devices/fast', change, { 'if-match': read.etag });
    const answers = await Promise.all(['a', 'b'].map((notes) => patch({ notes })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    expect((await patch({ device_name: 'faster' })).status).toBe(412);
    expect((await server.send('DELETE', '/api/v1/devices/fast', undefined, { 'if-match': read.etag })).status).toBe(
      412,
    );
    // Readings change no tag.
    expect((await send('PATCH', 'fast', { notes: null })).body.etag).toBe(read.etag);
  });

  it('has no characters that nobody sees or that turn text round, by which one name looks like another', async () => {
    const refused = async (change: object): Promise<string> => {
      const { status, body } = await send('PATCH', 'fast', change);
      expect(status).toBe(400);
      return body.detail;
    };
    expect(await refused({ display_name: 'PC\u202E1' })).toBe(
      'display_name must have no character that is not seen or turns text round, got U+202E in "PC\\u{202E}1"',
    );
    for (const name of ['la\u200Bb', 'la\u200Db', '\u2060lab', 'l\u00ADab', 'lab\uFE0F', 'lab\u{E0061}', 'l\u2028ab']) {
      await refused({ display_name: name });
      await refused({ device_name: name });
      await refused({ tags: { [name]: 'x' } });
      await refused({ tags: { x: name } });
      const rule = { select: { metric: 'm' }, condition: { above: 1 } };
      expect((await server.send('PUT', `/api/v1/alerts/rules/${encodeURIComponent(name)}`, rule)).status).toBe(400);
    }
    for (const name of ['مى\u200Cخواهم', '👩\u200D💻 1️⃣ ❤️', 'שלום', '🏴\u{E0067}\u{E0062}\u{E007F}']) {
      expect((await send('PATCH', 'fast', { display_name: name })).body.display_name).toBe(name);
    }
    expect((await send('PATCH', 'fast', { display_name: null, tags: { 'la\u200Bb': null } })).status).toBe(200);
  });

  it('loses nothing of changes that come at once', async () => {
    const numbers = Array.from({ length: 20 }, (_, index) => `${index}`);
    await Promise.all(numbers.map((number) => send('PATCH', 'fast', { tags: { [`at-once-${number}`]: number } })));
    const { body } = await send('GET', 'fast');
    expect(body.tags).toMatchObject(Object.fromEntries(numbers.map((number) => [`at-once-${number}`, number])));
    const none = Object.fromEntries(numbers.map((number) => [`at-once-${number}`, null]));
    await send('PATCH', 'fast', { tags: none });
  });

  it('finds and groups devices in every report', async () => {
    expect(await names('?tag=room=lab')).toEqual(['fast', 'hourly/late']);
    expect(await names('?tag=room=l*&tag=floor=4')).toEqual(['hourly/late']);
    const latest = await server.get('/api/v1/reports/latest?tag=room=lab&metric_name=system.*');
    expect(latest.body.samples).toMatchObject([{ device_name: 'fast' }]);
    const { body } = await server.get(`/api/v1/reports/compare?metric_name=hw.temperature&tag=floor=*&start_time=-2d`);
    expect(body.series.map((series: any) => series.device_name)).toEqual(['hourly/late']);

    const summary = async (query: string): Promise<any[]> =>
      (await server.get(`/api/v1/reports/summary?metric_name=hw.*&time_range=1000&${query}`)).body.summaries;
    expect(await summary('tag=room=lab')).toMatchObject([{ device_name: 'fast' }, { device_name: 'hourly/late' }]);
    expect(await summary('group_by=tag:room')).toMatchObject([
      { tags: {}, series: 4 },
      { tags: { room: 'lab' }, series: 2, count: 40 },
    ]);
    expect(await summary('group_by=tag&tag=room=*')).toMatchObject([
      { tags: { floor: '4', room: 'lab' }, series: 1 },
      { tags: { room: 'lab' }, series: 1 },
    ]);
  });

  it.each([
    [{ display_name: '' }, 'display_name must be a string of 1 to 128 printable characters, or null for none, got ""'],
    [{ notes: 7 }, 'notes must be a text of 1 to 4000 characters, or null for none, got 7'],
    [{ tags: ['lab'] }, 'tags must be an object of strings, as in {"room": "lab"}, with null for a tag to remove'],
    [{ tags: { room: 4 } }, 'tags tag "room" must be a string of at most 256 printable characters or null, got 4'],
    [{ tags: { 'a=b': '' } }, 'without = and commas, got "a=b"'],
    [{ tags: Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`t${i}`, ''])) }, 'tags must come to at most 32'],
    [{ color: 'red' }, 'color is unknown; allowed are device_name, merge, display_name, notes, tags'],
    [{ toString: 'red' }, 'toString is unknown; allowed are device_name, merge, display_name, notes, tags'],
    [{ device_name: 'other', merge: 'yes' }, 'merge must be true or false, got "yes"'],
    [{ merge: true }, 'merge goes with the device_name of the device to merge with'],
    [[], 'The body must be a JSON object, got an array of 0.'],
    [null, 'The body must be a JSON object, got null.'],
    [undefined, 'The body must be a JSON object, got nothing.'],
  ])('refuses %j', async (change, detail) => {
    const { status, body } = await send('PATCH', 'fast', change);
    expect(status).toBe(400);
    expect(body.detail).toContain(detail);
    expect((await send('GET', 'fast')).body.tags).toEqual({ room: 'lab' });
  });
});

describe('a device that is deleted', () => {
  it('is gone from every report, and comes again with its next sample', async () => {
    expect(await send('DELETE', 'fast-off')).toEqual({ status: 204, body: undefined });
    expect(await names('')).not.toContain('fast-off');
    expect((await server.get('/api/v1/reports/metrics/fast-off')).status).toBe(404);
    expect((await server.get('/api/v1/reports/summary?device_name=fast-off')).body.summaries).toEqual([]);
    await server.post('/api/v1/aggregator/metrics/', { device_name: 'fast-off', metric_name: 'x', value: 1 });
    expect((await send('GET', 'fast-off')).body).toMatchObject({ series: 1, status: 'online' });

    // Many clients name a type with every request.
    const typed = { method: 'DELETE', headers: { 'content-type': 'application/json' } };
    expect((await fetch(`${server.url}/api/v1/devices/fast-off`, typed)).status).toBe(204);
  });
});

it.each(['GET', 'PATCH', 'DELETE'])('%s of an unknown device is a 404 that names it', async (method) => {
  const { status, body } = await send(method, 'nobody', method === 'PATCH' ? {} : undefined);
  expect([status, body.detail]).toEqual([
    404,
    'There is no device "nobody"; GET /api/v1/devices names those that there are.',
  ]);
});

it.each([
  ['?status=on', 'status must be one of online, late, offline, got "on"'],
  ['?tag=room', 'tag must be name=value as in room=lab, got "room"'],
  ['?name=x', 'name is unknown; allowed are'],
  ['?toString=x', 'toString is unknown; allowed are status, tag, device_name'],
  ['?__proto__=x', '__proto__ is unknown; allowed are'],
  ['/fast?verbose=1', 'verbose is unknown; allowed are none'],
])('%s is refused', async (query, detail) => {
  const { status, body } = await server.get(`/api/v1/devices${query}`);
  expect(status).toBe(400);
  expect(body.detail).toContain(detail);
});

it('a device that is renamed keeps its history, and samples for its old name go on to it', async () => {
  const send = (device_name: string, value: number): Promise<unknown> =>
    server.post('/api/v1/aggregator/metrics/', {
      device_name,
      metric_name: 'renamed',
      value,
      timestamp: Date.now() - 9000 + value,
    });
  const change = (name: string, body: object): Promise<Response> =>
    fetch(`${server.url}/api/v1/devices/${name}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const values = async (name: string): Promise<unknown> =>
    (await server.get(`/api/v1/reports/metrics/${name}?metric_name=renamed`)).body.series?.flatMap((series: any) =>
      series.samples.map(([, value]: unknown[]) => value),
    );
  await send('before', 1);
  await send('other', 7);
  const answer = await change('before', { device_name: 'after' });
  expect(await answer.json()).toMatchObject({ device_name: 'after', former_names: ['before'] });
  await send('before', 2);
  await send('after', 3);
  expect(await values('after')).toEqual([1, 2, 3]);
  expect((await server.get('/api/v1/devices/before')).status).toBe(404);

  const taken = await change('after', { device_name: 'other' });
  expect(taken.status).toBe(409);
  expect(((await taken.json()) as { detail: string }).detail).toContain('must be one that no device has, got "other"');

  // The old name is free again once another device is given it.
  await change('other', { device_name: 'before' });
  await send('before', 8);
  expect(await values('before')).toEqual([7, 8]);
  expect(await values('after')).toEqual([1, 2, 3]);
});

it('two devices become one where that is said, and a refusal changes nothing', async () => {
  const post = (
    device_name: string,
    unit: string,
    samples: [number, number][],
    metric_name = 'merged',
  ): Promise<unknown> =>
    server.post('/api/v1/aggregator/metrics/batch/', [{ device_name, metric_name, unit, samples }]);
  const samples = async (name: string): Promise<unknown> =>
    (await server.get(`/api/v1/reports/metrics/${name}?metric_name=merged&start_time=-3h`)).body.series[0].samples.map(
      ([time, value]: [string, number]) => [Date.parse(time), value],
    );
  const [T, HOUR] = [NOW - 2 * 3_600_000, 3_600_000];
  await post('pc-old', 'KiBy', [
    [T, 1],
    [T + 5, 2],
  ]);
  await post('pc-new', 'By', [
    [T + 5, 7],
    [T + HOUR, 8],
  ]);
  await post('pc-old', 'Cel', [[T, 20]], 'hw.temperature');
  await send('PATCH', 'pc-old', { display_name: 'Old', notes: 'by the door', tags: { room: 'lab', floor: '1' } });
  await send('PATCH', 'pc-new', { display_name: 'New', tags: { floor: '2' } });

  const refused = await send('PATCH', 'pc-old', { device_name: 'pc-new', display_name: 'Both' });
  expect(refused).toMatchObject({ status: 409, body: { type: 'urn:device-metrics:problem:device-taken' } });
  expect(refused.body.detail).toContain('with "merge": true the two become one');
  expect((await send('GET', 'pc-old')).body.display_name).toBe('Old');

  const merged = await send('PATCH', 'pc-old', { device_name: 'pc-new', merge: true, tags: { owner: 'optics' } });
  expect(merged).toMatchObject({
    status: 200,
    body: {
      device_name: 'pc-new',
      former_names: ['pc-old'],
      display_name: 'New',
      notes: 'by the door',
      tags: { floor: '2', owner: 'optics', room: 'lab' },
      first_seen: iso(T),
      last_seen: iso(T + HOUR),
      series: 2,
    },
  });
  await post('pc-old', 'By', [[T + HOUR + 1, 9]]);
  expect(await samples('pc-new')).toEqual([
    [T, 1024],
    [T + 5, 7],
    [T + HOUR, 8],
    [T + HOUR + 1, 9],
  ]);
  expect((await send('GET', 'pc-old')).status).toBe(404);

  await post('pc-far', 'Cel', [[T, 1]]);
  const unfit = await send('PATCH', 'pc-far', { device_name: 'pc-new', merge: true });
  expect([unfit.status, unfit.body.type, unfit.body.detail]).toEqual([
    409,
    'urn:device-metrics:problem:not-mergeable',
    '"merged" is in "Cel" of "pc-far" and in "By" of "pc-new", and one does not convert into the other.',
  ]);
  expect(await samples('pc-far')).toEqual([[T, 1]]);
  // Where no device has the name there is nothing to merge.
  expect((await send('PATCH', 'pc-far', { device_name: 'pc-farther', merge: true })).body.device_name).toBe(
    'pc-farther',
  );
});

it('one series of a device can be deleted', async () => {
  const send = (labels: object, value: number): Promise<unknown> =>
    server.post('/api/v1/aggregator/metrics/', { device_name: 'series', metric_name: 'm', labels, value });
  await send({ a: '1' }, 1);
  await send({ a: '2' }, 2);
  const remove = async (query: string): Promise<number> =>
    (await fetch(`${server.url}/api/v1/devices/series/series?${query}`, { method: 'DELETE' })).status;
  const labels = async (): Promise<unknown> =>
    (await server.get('/api/v1/reports/latest?device_name=series')).body.samples.map((sample: any) => [
      sample.labels,
      sample.value,
    ]);
  expect(await remove('metric_name=m')).toBe(400);
  expect(await remove('metric_name=none&label=a=1')).toBe(400);
  expect(await remove('metric_name=m&label=a=1')).toBe(204);
  expect(await labels()).toEqual([[{ a: '2' }, 2]]);
  await send({ a: '1' }, 5);
  expect(await labels()).toEqual([
    [{ a: '1' }, 5],
    [{ a: '2' }, 2],
  ]);
  const report = await server.get('/api/v1/reports/metrics/series?label=a=1');
  expect(report.body.series[0].samples).toHaveLength(1);
});
