import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InfluxDB } from 'influx';
import { Server, temporaryFolder, type Answer } from './server.js';

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let ingest: string;
let read: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  const settings = { DATABASE_PATH: join(folder.path, 'metrics.db') };
  server = await Server.start(settings);
  const token = async (kind: string): Promise<string> =>
    /dm_\S+/.exec((await Server.command(['token', 'create', kind, '--name', kind], settings)).join('\n'))?.[0] ?? '';
  [ingest, read] = [await token('ingest'), await token('read')];
});
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const text = { 'content-type': 'text/plain; charset=utf-8' };
const write = (lines: string | Uint8Array, query = '', headers: Record<string, string> = text): Promise<Answer> =>
  server.post(`/write${query}`, lines, headers);
const write2 = (lines: string | Uint8Array, query = '', headers: Record<string, string> = text): Promise<Answer> =>
  server.post(`/api/v2/write${query}`, lines, headers);

/** `[metric, labels, samples]` of a device. */
async function stored(device: string): Promise<[string, unknown, [string, number][]][]> {
  const { body } = await server.get(`/api/v1/reports/metrics/${encodeURIComponent(device)}?start_time=-30d&limit=5000`);
  return (body.series ?? []).map((one: any) => [one.metric_name, one.labels, one.samples]);
}
const now = Date.now();
const at = (secondsAgo: number): number => Math.floor(now / 1000) - secondsAgo;
const said = (secondsAgo: number): string => new Date(at(secondsAgo) * 1000).toISOString();

describe('lines', () => {
  it.each(['/write', '/api/v2/write'])('of another charset are a 415: %s', async (path) => {
    const answer = await server.post(path, 'm,host=charset f=1', { 'content-type': 'text/plain; charset=utf-16' });
    expect(answer).toMatchObject({ status: 415, body: expect.anything() });
    expect(JSON.stringify(answer.body)).toContain('The charset must be utf-8 or iso-8859-1, got');
    expect(await stored('charset')).toEqual([]);
  });

  it.each(['', 'gzip'])('are read as Latin-1 where they say that they are: %s', async (encoding) => {
    const device = `B\u00fcro${encoding}`;
    const lines = Buffer.from(`m,host=${device},place=caf\u00e9 f=1 ${now}000000`, 'latin1');
    const headers = {
      'content-type': 'text/plain; charset=ISO-8859-1',
      ...(encoding === '' ? {} : { 'content-encoding': encoding }),
    };
    expect(await write(encoding === '' ? lines : gzipSync(lines), '?db=a', headers)).toMatchObject({ status: 204 });
    expect(await stored(device)).toMatchObject([['m.f', { place: 'caf\u00e9' }, [expect.anything()]]]);
  });

  it.each(['text/plain', 'application/json'])('that are not UTF-8 are refused, and no others: as %s', async (type) => {
    const device = `bytes ${type}`;
    const lines = ['f=1', 'B\u00fcro=2', 'g=3']
      .map((field) => `m,host=${device.replace(' ', '\\ ')} ${field}`)
      .join('\n');
    const { status } = await write(Buffer.from(lines, 'latin1'), '?db=a', { 'content-type': type });
    expect(status).toBe(400);
    expect((await stored(device)).map(([metric]) => metric)).toEqual(['m.f', 'm.g']);
  });

  it('are stored with 204, in each precision, and without a time at the time of receipt', async () => {
    const time = at(60);
    // A minute that begins before all of the other times.
    const minute = Math.floor(time / 60) - 1;
    for (const [query, stamp] of [
      ['?db=a', `${time}000000000`],
      ['?precision=n', `${time + 1}000000000`],
      ['?precision=u', `${time + 2}000000`],
      ['?precision=ms', `${time + 3}000`],
      ['?precision=s', `${time + 4}`],
      ['?precision=m', `${minute}`],
    ]) {
      const { status, body, headers } = await write(`m,host=times f=${stamp?.length} ${stamp}\n`, query);
      expect([query, status, body]).toEqual([query, 204, '']);
      expect(headers.get('x-influxdb-version')).toMatch(/^1\.8/);
    }
    expect((await write2(`m,host=times f=2 ${time + 5}000000`, '?org=o&bucket=b&precision=us')).status).toBe(204);
    const before = Date.now();
    await write('m,host=untimed f=1');
    const [[, , [[untimed]]]] = (await stored('untimed')) as any;
    expect(Date.parse(untimed)).toBeGreaterThanOrEqual(before);
    const [[name, labels, samples]] = (await stored('times')) as any;
    expect([name, labels]).toEqual(['m.f', {}]);
    expect(samples).toEqual(
      [
        [said(60), 19],
        [said(59), 19],
        [said(58), 16],
        [said(57), 13],
        [said(56), 10],
        [said(55), 2],
        [new Date(minute * 60_000).toISOString(), 8],
      ].sort(),
    );
  });

  it('may be gzip, of any content type, of any length, and none at all', async () => {
    for (const encoding of ['gzip', 'x-gzip', 'GZIP']) {
      const headers = { ...text, 'content-encoding': encoding };
      expect((await write(gzipSync(`m,host=gzip f=1`), '', headers)).status).toBe(204);
    }
    expect((await write('m,host=gzip f=1', '', { ...text, 'content-encoding': '' })).status).toBe(204);
    for (const type of ['application/x-www-form-urlencoded', 'application/json', 'application/octet-stream', '']) {
      expect((await write(`m,host=gzip,type=${type.length} f=1`, '', { 'content-type': type })).status).toBe(204);
    }
    // Past the framework, and through it.
    for (const more of [{}, { 'x-any': 'header' }] as Record<string, string>[]) {
      const body = gzipSync(`m,host=gzip,header=${more['x-any']} f=1`);
      expect((await write(body, '', { 'content-encoding': 'gzip', ...more })).status).toBe(204);
    }
    expect(await stored('gzip')).toHaveLength(7);
    for (const nothing of ['', '\n', '# only a comment\n']) {
      expect([(await write(nothing)).status, (await write2(nothing)).status]).toEqual([204, 204]);
    }
  });

  it('are stored as clients of InfluxDB 3 write them, and tell time by its size where they say nothing of it', async () => {
    const write3 = (lines: string, query: string): Promise<Answer> =>
      server.post(`/api/v3/write_lp${query}`, lines, text);
    const time = at(60);
    const sizes = ['', '000', '000000', '000000000'].map(
      (zeros, more) => `m,host=three f=${more} ${time + more}${zeros}`,
    );
    expect((await write3(sizes.join('\n'), '?db=a')).status).toBe(204);
    for (const [more, [precision, zeros]] of Object.entries([
      ['nanosecond', '000000000'],
      ['microsecond', '000000'],
      ['millisecond', '000'],
      ['second', ''],
      ['ns', '000000000'],
      ['auto', '000'],
    ])) {
      const stamp = `${time + 4 + Number(more)}${zeros}`;
      const query = `?db=a&precision=${precision}&accept_partial=true&no_sync=true`;
      expect([query, (await write3(`m,host=three f=1 ${stamp}`, query)).status]).toEqual([query, 204]);
    }
    const [[, , samples]] = (await stored('three')) as any;
    expect(samples.map(([one]: [string]) => one)).toEqual(Array.from({ length: 10 }, (_, more) => said(60 - more)));

    const { status, body } = await write3('m f=1\nm f=N/A\nm f=2 5', '?db=three2');
    expect([status, body]).toEqual([
      400,
      {
        error: 'partial write of line protocol occurred',
        data: [
          { original_line: 'm f=N/A', line_number: 2, error_message: 'the field "f" must be a number, got "N/A"' },
          { original_line: 'm f=2 5', line_number: 3, error_message: expect.stringMatching(/or later, got 5000$/) },
        ],
      },
    ]);
    expect(await stored('three2')).toHaveLength(1);
    expect((await write3('m f=1', '?db=a&precision=minute')).body).toEqual({
      error: expect.stringContaining('invalid precision: must be one of auto, nanosecond, microsecond'),
    });
  });

  it('without a device say what would name it', async () => {
    expect((await write('m f=1')).body).toEqual({
      error:
        'partial write: line 1: has no device: it must have a tag agent_host, source, host or hostname, or the address a db or bucket dropped=1',
    });
  });

  it('of which some are wrong are stored but for them, and the answer says which', async () => {
    const lines = `m,host=part f=1,t="text",g=N/A ${at(9)}\nno fields\n\nm,host=part f=2 ${at(8)}\nm,host=part f=3 9\n`;
    const answer = await write(lines, '?precision=s');
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.body).toEqual({
      error: expect.stringMatching(
        /^partial write: line 1: the field "g" must be a number, got "N\/A"; line 2: a field must be .*; line 5: timestamp must be .* or later, got 9, taken for seconds dropped=3$/,
      ),
    });
    expect(await stored('part')).toEqual([
      [
        'm.f',
        {},
        [
          [said(9), 1],
          [said(8), 2],
        ],
      ],
    ]);

    expect((await write2('m f=1\nbad\n', '?bucket=part2')).body).toEqual({
      code: 'invalid',
      message: expect.stringMatching(/^partial write: line 2: .* dropped=1$/),
    });
    expect(await stored('part2')).toHaveLength(1);
  });

  it.each([
    ['', 'milliseconds', 1, 'nanoseconds'],
    ['', 'seconds', 1e-3, 'nanoseconds'],
    ['', 'microseconds', 1e3, 'nanoseconds'],
    ['?precision=us', 'nanoseconds', 1e6, 'microseconds'],
    ['?precision=ms', 'seconds', 1e-3, 'milliseconds'],
    ['?precision=s', 'milliseconds', 1, 'seconds'],
    ['?precision=s', 'nanoseconds', 1e6, 'seconds'],
    ['?precision=h', 'seconds', 1e-3, 'hours'],
  ])('with precision %j and times in %s say so', async (query, sent, factor, taken) => {
    const time = BigInt(Math.floor(Date.now() / 1000) * 1000 * factor);
    const { status, body } = await write(`m,host=clock f=1 ${time}`, query);
    const looks =
      taken === 'milliseconds'
        ? `got ${time}, which looks like ${sent}: in milliseconds it is ${time}000`
        : `which looks like ${sent} and is taken for ${taken}`;
    expect([status, body.error]).toEqual([400, expect.stringContaining(`${looks} dropped=1`)]);
  });

  it('that are texts are counted as refused, and said once', async () => {
    const rejected = (): Promise<number> => server.metric('device_metrics_items_rejected_total{protocol="influx"}');
    const kept = (): Promise<number> => server.metric('device_metrics_samples_stored_total{protocol="influx"}');
    const [before, keptBefore] = [await rejected(), await kept()];
    for (let turn = 0; turn < 3; turn += 1) {
      expect((await write('status,host=words state="on",code=1')).status).toBe(204);
      expect((await write(`status,host=words,turn=${turn} state="on"`)).status).toBe(204);
    }
    expect([(await rejected()) - before, (await kept()) - keptBefore]).toEqual([6, 3]);
    expect(
      server.log.filter((line) => line.includes('texts are not stored') && line.includes('status state')),
    ).toHaveLength(1);
  });

  it('sent again change nothing, and those of before are taken in any order', async () => {
    const lines = [3, 1, 2].map((day) => `m,host=again f=${day} ${at(day * 86_400)}`).join('\n');
    for (let turn = 0; turn < 3; turn += 1) await write(lines, '?precision=s');
    await write(`m,host=again f=9 ${at(2 * 86_400)}`, '?precision=s');
    expect(await stored('again')).toEqual([
      [
        'm.f',
        {},
        [
          [said(3 * 86_400), 3],
          [said(2 * 86_400), 9],
          [said(86_400), 1],
        ],
      ],
    ]);
  });

  it('of any names and numbers come back bit for bit', async () => {
    const letter = fc.constantFrom('a', 'B', '7', 'ü', '温', ' ', ',', '=', '"', '/', '{');
    const word = fc.string({ unit: letter, minLength: 1, maxLength: 6 }).filter((one) => one.trim() === one);
    const number = fc.double({ noNaN: true, noDefaultInfinity: true });
    const escaped = (name: string): string => name.replace(/[,= ]/g, '\\$&');
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(word, word, { maxKeys: 3 }),
        fc.dictionary(word, number, { minKeys: 1, maxKeys: 6 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 86_400_000 }), { minLength: 1, maxLength: 4 }),
        async (tags, fields, ages) => {
          run += 1;
          const device = `round ${run}`;
          const ownTags = Object.entries({ ...tags, host: device });
          const lines = ages.map(
            (age, turn) =>
              `m,${ownTags.map((pair) => pair.map(escaped).join('=')).join(',')} ` +
              `${Object.entries(fields)
                .map(([field, value]) => `${escaped(field)}=${textOf(turn % 2 ? -value : value)}`)
                .join(',')} ${now - age}`,
          );
          expect((await write(lines.join('\n'), '?precision=ms')).body).toBe('');
          const found = await stored(device);
          expect(found).toHaveLength(Object.keys(fields).length);
          const values = ages
            .map((age, turn) => [new Date(now - age).toISOString(), turn] as const)
            .sort(([a], [b]) => (a < b ? -1 : 1));
          for (const [field, value] of Object.entries(fields)) {
            const name = field === 'value' ? 'm' : `m.${field}`;
            const [, , samples] =
              found.find(
                ([metric, labels]) =>
                  ((labels as any)['sent.name'] ?? (tags['name'] === undefined && (labels as any).name) ?? metric) ===
                    name || metric === name,
              ) ?? [];
            expect(samples).toEqual(values.map(([time, turn]) => [time, turn % 2 ? -value : value]));
          }
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 200 : 20 },
    );
  });

  it('that were damaged on their way are stored or refused, and nothing worse', async () => {
    const line = `m,host=hurt,n=1 f=1.5,g=22i,h=t ${now}\n`;
    await fc.assert(
      fc.asyncProperty(
        fc.nat(line.length * 3 - 1),
        fc.nat(255),
        fc.constantFrom('flip', 'cut', 'gzip'),
        async (place, byte, kind) => {
          const whole = Buffer.from(line.repeat(3));
          let body: Uint8Array = whole;
          if (kind === 'cut') body = whole.subarray(0, place);
          else if (kind === 'flip') whole[place] = byte;
          else {
            body = gzipSync(whole);
            body[place % body.length] = byte;
          }
          const answer = await write(
            body,
            '?precision=ms&db=hurt',
            kind === 'gzip' ? { 'content-encoding': 'gzip' } : text,
          );
          expect([204, 400]).toContain(answer.status);
          if (answer.status === 400) expect(answer.body.error).toEqual(expect.any(String));
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 500 : 60 },
    );
    expect((await server.get('/readyz')).status).toBe(200);
  });
});

/** As a sender writes it, and -0 too. */
const textOf = (value: number): string => (Object.is(value, -0) ? '-0' : String(value));

describe('what senders are told', () => {
  const unknown = 'dm_ingest_0123456789ab_0123456789012345678901234567890123456789012';

  it('who they are may come in every way that they have', async () => {
    const query = '?db=credentials&precision=s';
    const credentials = (value: string): Record<string, string> => ({ ...text, authorization: value });
    const basic = `Basic ${Buffer.from(`telegraf:${ingest}`).toString('base64')}`;
    for (const value of [`Token ${ingest}`, `Bearer ${ingest}`, `Token telegraf:${ingest}`, basic]) {
      expect([value, (await write('m f=1', query, credentials(value))).status]).toEqual([value, 204]);
      expect([value, (await write2('m f=1', query.replace('db', 'bucket'), credentials(value))).status]).toEqual([
        value,
        204,
      ]);
    }
    expect((await write('m f=1', `${query}&u=telegraf&p=${ingest}`)).status).toBe(204);
  });

  it('a token that does not work is a 401 and one that may not a 403, each in the form of its version', async () => {
    const refused = await write('m f=1', `?u=x&p=${unknown}`);
    expect([refused.status, refused.body]).toEqual([401, { error: 'The token is unknown.' }]);
    const refused2 = await write2('m f=1', '', { ...text, authorization: `Token ${unknown}` });
    expect([refused2.status, refused2.body]).toEqual([401, { code: 'unauthorized', message: 'The token is unknown.' }]);
    const forbidden = await write('m f=1', '', { ...text, authorization: `Token ${read}` });
    expect([forbidden.status, forbidden.body]).toEqual([403, { error: expect.stringContaining('samples:write') }]);
    const forbidden2 = await write2('m f=1', '', { ...text, authorization: `Token ${read}` });
    expect([forbidden2.status, forbidden2.body.code]).toEqual([403, 'forbidden']);
    expect(server.log.join('\n')).not.toContain(unknown);
  });

  it('a body that cannot be taken is said in the form of its version', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'm f=1\n'));
    const gzip = { ...text, 'content-encoding': 'gzip' };
    const tooLarge = await write2(bomb, '', gzip);
    expect([tooLarge.status, tooLarge.body.code]).toEqual([413, 'request too large']);
    const notGzip = await write('m f=1', '', gzip);
    expect([notGzip.status, notGzip.body]).toEqual([400, { error: expect.stringMatching(/gzip/) }]);
    const brotli = await write2(brotliCompressSync('m f=1'), '', { ...text, 'content-encoding': 'br' });
    expect([brotli.status, brotli.body]).toEqual([415, { code: 'invalid', message: expect.stringContaining('gzip') }]);
    const precision = await write('m f=1', '?precision=d');
    expect([precision.status, precision.body]).toEqual([
      400,
      { error: 'invalid precision: must be one of ns, us, ms, s, m, h, n, u, µ, got "d"' },
    ]);
    const many = await write(`m ${'f=1,'.repeat(500_001)}f=1`);
    expect([many.status, many.body.error]).toEqual([413, expect.stringContaining('500000')]);
  });

  it('is there before they write: /ping, /health, /ready and the database that they ask for', async () => {
    const ping = await server.get('/ping');
    expect([ping.status, ping.headers.get('x-influxdb-version')]).toEqual([204, '1.8.10']);
    expect((await server.get('/ping?verbose=true')).body).toEqual({ version: '1.8.10' });
    expect((await server.get('/health')).body).toMatchObject({ status: 'pass', name: 'device-metrics' });
    expect((await server.get('/ready')).body).toEqual({
      status: 'ready',
      started: expect.stringMatching(/^\d{4}-.*Z$/),
      up: expect.stringMatching(/^\d+s$/),
    });
    const query = async (q: string): Promise<unknown> =>
      (
        await server.post('/query', new URLSearchParams({ q }).toString(), {
          'content-type': 'application/x-www-form-urlencoded',
        })
      ).body;
    expect(await query('CREATE DATABASE "telegraf"')).toEqual({ results: [{ statement_id: 0 }] });
    expect(await query('CREATE RETENTION POLICY "a" ON "telegraf" DURATION 7d REPLICATION 1;SHOW DATABASES')).toEqual({
      results: [
        { statement_id: 0 },
        { statement_id: 1, series: [{ name: 'databases', columns: ['name'], values: [['telegraf']] }] },
      ],
    });
    expect(await query('create database if not exists "a;b"; SHOW DATABASES ;')).toMatchObject({
      results: [{ statement_id: 0 }, { statement_id: 1, series: [{ values: [['telegraf'], ['a;b']] }] }],
    });
    // The client of InfluxDB 1 for Python says gzip of all that it sends, also where that is nothing.
    const nothing = await server.post('/query?q=SHOW+DATABASES', '', { 'content-encoding': 'gzip' });
    expect(nothing).toMatchObject({ status: 200, body: { results: [{ statement_id: 0 }] } });
    // Glances exports to no database that is not shown.
    expect((await server.get('/query?q=SHOW+DATABASES&db=glances')).body).toMatchObject({
      results: [{ series: [{ values: expect.arrayContaining([['glances']]) }] }],
    });
    expect(await query('SELECT * FROM cpu')).toEqual({
      results: [{ statement_id: 0, error: expect.stringContaining('/api/v1/reports') }],
    });
    expect((await server.get('/query')).body).toEqual({ error: 'missing required parameter "q"' });
  });

  it('a query may also be a part of a form, or a file in one', async () => {
    const post = async (parts: string, address = ''): Promise<Answer> => {
      const type = { 'content-type': 'multipart/form-data; boundary=limit' };
      return server.post(`/query${address}`, `${parts.replaceAll('\n', '\r\n')}\r\n--limit--\r\n`, type);
    };
    const part = (name: string, text: string): string =>
      `--limit\nContent-Disposition: form-data; name="${name}"\n\n${text}`;
    const created = { results: [{ statement_id: 0 }] };

    expect((await post(part('q', 'CREATE DATABASE "part"'))).body).toEqual(created);
    const file = part('q"; filename="q.txt', 'CREATE DATABASE "file"\n;SHOW DATABASES');
    expect(JSON.stringify((await post(file)).body)).toContain('["part"],["file"]');
    // As InfluxDB: what has parts comes behind the address.
    expect((await post(part('q', 'SELECT 1'), '?q=CREATE+DATABASE+address')).body).toEqual(created);
    for (const wrong of [part('p', 'CREATE DATABASE a'), 'no part at all', '']) {
      const { status, body } = await post(wrong);
      expect([status, body]).toEqual([400, { error: 'missing required parameter "q"' }]);
    }
  });

  it('a sender that waits for "100 Continue", as curl with much does, gets it', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST /write?db=continue HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: 5\r\nconnection: close\r\n\r\n',
    );
    const [first] = (await once(socket, 'data')) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1\.1 100 Continue/);
    socket.write('m f=1');
    expect((await socket.setEncoding('utf8').toArray()).join('')).toMatch(/^HTTP\/1\.1 204 /);
  });
});

describe('the client `influx`', () => {
  it('makes its database, writes points, and gets its errors', async () => {
    const { hostname, port } = new URL(server.url);
    const client = new InfluxDB({
      hosts: [{ host: hostname, port: Number(port), protocol: 'http' }],
      database: 'npm',
      username: 'x',
      password: ingest,
    });
    expect(await client.ping(5_000)).toMatchObject([{ online: true, version: '1.8.10' }]);
    await client.createDatabase('npm');
    expect(await client.getDatabaseNames()).toContain('npm');
    const timestamp = new Date(now - 5_000);
    await client.writePoints([
      {
        measurement: 'room',
        tags: { host: 'npm-client', place: 'a b,c' },
        fields: { temp: 21.25, open: true },
        timestamp,
      },
      { measurement: 'room', tags: { host: 'npm-client', place: 'x' }, fields: { temp: -0.5 }, timestamp },
    ]);
    expect(await stored('npm-client')).toEqual([
      ['room.open', { place: 'a b,c' }, [[timestamp.toISOString(), 1]]],
      ['room.temp', { place: 'a b,c' }, [[timestamp.toISOString(), 21.25]]],
      ['room.temp', { place: 'x' }, [[timestamp.toISOString(), -0.5]]],
    ]);
    await expect(
      client.writePoints([{ measurement: 'room', fields: { temp: 1 }, timestamp: new Date(0) }]),
    ).rejects.toThrow(/partial write/);
  });
});

describe('OpenTSDB', () => {
  const point = (more: object = {}): object => ({
    metric: 'sys.cpu.nice',
    timestamp: at(60),
    value: 18,
    tags: { host: 'tsdb', cpu: 0 },
    ...more,
  });

  it('puts one point or many, in seconds or milliseconds, numbers as texts too', async () => {
    expect((await server.post('/api/put', point())).status).toBe(204);
    const more = [
      { timestamp: String(at(59)), value: '18.5' },
      { timestamp: at(58) * 1000 + 500, value: '0' },
      { metric: 'a b', tags: { host: 'tsdb' } },
      { tags: {} },
    ].map(point);
    const { status, body } = await server.post('/api/put?details', gzipSync(JSON.stringify(more)), {
      'content-type': 'application/json; charset=UTF-8',
      'content-encoding': 'gzip',
    });
    expect([status, body]).toEqual([200, { success: 4, failed: 0, errors: [] }]);
    expect(await stored('tsdb')).toEqual([
      ['a_b', { name: 'a b' }, [[said(60), 18]]],
      [
        'sys.cpu.nice',
        { cpu: '0' },
        [
          [said(60), 18],
          [said(59), 18.5],
          [new Date(at(58) * 1000 + 500).toISOString(), 0],
        ],
      ],
    ]);
    expect(await stored('opentsdb')).toEqual([['sys.cpu.nice', {}, [[said(60), 18]]]]);
  });

  it('stores good points in any order beside bad ones, and names these with their place', async () => {
    const bad: [object | number, RegExp][] = [
      [point({ value: 'warm' }), /^value must be a finite number, got "warm"$/],
      [point({ value: true }), /^value must be/],
      [point({ timestamp: at(0) * 1e9 }), /^timestamp must be .* looks like nanoseconds/],
      [point({ timestamp: undefined }), /^timestamp must be/],
      [point({ metric: 5 }), /^metric_name must be/],
      [point({ tags: [] }), /^tags must be an object of strings/],
      [point({ tags: { host: 'tsdb2', a: null } }), /^labels? "a" must be|^labels/],
      [7, /^must be an object with metric, timestamp, value and tags, got 7$/],
    ];
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.option(fc.nat(bad.length - 1), { freq: 2 }), { minLength: 1, maxLength: 6 }),
        async (items) => {
          run += 1;
          const tags = { host: `tsdb-${run}` };
          const points = items.map((item, turn) =>
            item === null ? point({ tags, timestamp: at(turn) }) : bad[item]?.[0],
          );
          const { status, body } = await server.post('/api/put?details=true', points);
          const places = items.flatMap((item, place) => (item === null ? [] : [place]));
          expect(status).toBe(places.length > 0 ? 400 : 200);
          expect([body.success, body.failed]).toEqual([items.length - places.length, places.length]);
          body.errors.forEach(({ datapoint, error }: any, index: number) => {
            const place = places[index] as number;
            const [, told, reason] = /^data point (\d+): (.*)$/.exec(error) as unknown as string[];
            expect(told).toBe(String(place));
            expect(reason).toMatch(bad[items[place] as number]?.[1] as RegExp);
            expect(datapoint).toEqual(JSON.parse(JSON.stringify(points[place])));
          });
          const samples = (await stored(`tsdb-${run}`)).flatMap(([, , those]) => those);
          expect(samples).toHaveLength(items.length - places.length);
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 500 : 15 },
    );
  });

  it('is told what fails in its own form', async () => {
    const wrong = await server.post('/api/put', [point({ tags: { host: 'tsdb3' } }), 7]);
    const message = expect.stringMatching(
      /^1 of 2 data points were refused, and the others are stored\. data point 1: /,
    );
    expect([wrong.status, wrong.body]).toEqual([400, { error: { code: 400, message } }]);
    expect((await server.post('/api/put?summary', 7)).body).toEqual({ success: 0, failed: 1 });
    expect((await server.post('/api/put', '{"metric"')).body).toEqual({
      error: { code: 400, message: expect.stringContaining('JSON') },
    });
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await server.post('/api/put', JSON.stringify(point()), form)).body.error.code).toBe(415);
    const many = Array.from({ length: 20_001 }, () => 7);
    expect((await server.post('/api/put', many)).status).toBe(413);
    const forbidden = { authorization: `Bearer ${read}` };
    expect((await server.post('/api/put', point(), forbidden)).body.error.code).toBe(403);
  });
});
