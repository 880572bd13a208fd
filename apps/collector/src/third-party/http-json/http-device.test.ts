import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestServer } from '../../../test/harness.js';
import { certificate, key } from '../../../test/third-party/certificate.js';
import { Device, flood, memoryGrowth, mistakesOf, NOW, TcpPeer } from '../../../test/third-party/device.js';

const VALUE = '{"metric_name": "m", "value": value}';

describe('a device with a JSON API', () => {
  const server = new TestServer(() => undefined);
  const entry = (others: object = {}): Record<string, unknown> => {
    return { protocol: 'http-json', url: `${server.url}/api`, mapping: VALUE, timeout: '60s', ...others };
  };
  const answers = (body: unknown): void => {
    server.handle = (_request, response): void =>
      void response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  beforeAll(() => server.start());
  beforeEach(() => answers({ value: 1 }));
  afterAll(() => server.stop());

  it('gives several devices out of one answer, in base units', async () => {
    answers({
      rooms: [
        { name: 'kitchen', t: 68, rh: 40 },
        { name: 'hall', t: 50, rh: 62.5 },
      ],
    });
    const mapping = `rooms.(
      [{ "device_name": name, "metric_name": "hw.temperature", "value": t, "unit": "°F" },
       { "device_name": name, "metric_name": "humidity", "value": rh, "unit": "%", "labels": { "place": name } }])`;
    expect(await new Device(entry({ mapping })).read()).toEqual([
      { device_name: 'kitchen', metric_name: 'hw.temperature', value: 20, unit: 'Cel' },
      { device_name: 'kitchen', metric_name: 'humidity', value: 0.4, unit: '1', labels: { place: 'kitchen' } },
      { device_name: 'hall', metric_name: 'hw.temperature', value: 10, unit: 'Cel' },
      { device_name: 'hall', metric_name: 'humidity', value: 0.625, unit: '1', labels: { place: 'hall' } },
    ]);
  });

  it('of which one value is missing gives the others, and names that one', async () => {
    // The mapping of docs/third-party/http-json.md.
    const mapping = `[
      {"metric_name": "hw.power", "value": apower, "unit": "W"},
      {"metric_name": "hw.temperature", "value": temperature.tC, "unit": "°C"}]`;
    const plug = new Device(entry({ mapping }));
    answers({ apower: 23.4, temperature: { tC: null } });
    for (let run = 0; run < 2; run += 1) expect(await plug.values()).toEqual({ 'hw.power W': 23.4 });
    expect(plug.rejected).toEqual(['the value of hw.temperature: must be a number, got null']);
    expect(plug.log).toEqual(['rack: cannot read the value of hw.temperature: must be a number, got null']);
    answers({ apower: '23.4', temperature: { tC: 'n/a' } });
    expect(await plug.values()).toEqual({ 'hw.power W': 23.4 });
    answers({ apower: null, temperature: { tC: null } });
    expect(await plug.failure()).toBe('the value of hw.power must be a number, got null');
  });

  it('of which all but the value may be null', async () => {
    answers({ value: 1, unit: null });
    const mapping =
      '{"metric_name": "m", "value": value, "unit": unit, "labels": null, "device_name": null, "timestamp": null}';
    for (const timestamps of ['run', 'source']) {
      expect(await new Device(entry({ mapping, timestamps })).read()).toEqual([
        { device_name: 'rack', metric_name: 'm', value: 1 },
      ]);
    }
  });

  it('gives the times that it says itself where that is asked for, and what it repeats only once', async () => {
    const mapping = '$.{"metric_name": name, "value": v, "timestamp": t}';
    const gateway = new Device(entry({ mapping, timestamps: 'source' }));
    const dead = { name: 'dead', v: 1, t: '2026-01-15T04:00:00Z' };
    answers([
      dead,
      { name: 'live', v: 2, t: NOW - 5_000 },
      { name: 'odd', v: 3, t: 'yesterday' },
      { name: 'ahead', v: 4, t: NOW + 3_600_000 },
    ]);
    expect(await gateway.samples()).toEqual([
      ['dead', Date.UTC(2026, 0, 15, 4)],
      ['live', NOW - 5_000],
    ]);
    expect(gateway.rejected).toEqual([
      'the timestamp of odd: must be Unix milliseconds or a time as in 2026-01-15T10:00:00Z, got "yesterday"',
      expect.stringMatching(/^ahead: timestamp must be no more than 10 minutes ahead/),
    ]);
    answers([dead, { name: 'live', v: 2, t: NOW }]);
    expect(await gateway.samples()).toEqual([['live', NOW]]);
    answers([dead]);
    expect(await gateway.samples()).toEqual([]);
    expect(gateway.log.filter((line) => line.includes('fails'))).toEqual([]);
    const unasked = new Device(entry({ mapping }));
    expect(await unasked.failure()).toBe('the timestamp of dead is only for timestamps: source');
  });

  it.each([
    ['has line feeds alone', 'HTTP/1.1 200 OK\nContent-Type: application/json\nContent-Length: 12\n\n{"value": 7}'],
    [
      'gives its length and sends chunks',
      'HTTP/1.1 200 OK\r\nContent-Length: 99\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{"value": 7}\r\n0\r\n\r\n',
    ],
  ])('that %s is read where lenient is asked for', async (_what, answer) => {
    const peer = await new TcpPeer((socket) => void socket.once('data', () => socket.write(answer))).start();
    const url = `http://127.0.0.1:${peer.port}/`;
    expect(await new Device(entry({ url, lenient: true })).values()).toEqual({ m: 7 });
    // Within jest Node's errors of the parser are not told as such; what they become is in network-problem.test.ts.
    const strict = await new Device(entry({ url, timeout: '200ms' })).failure();
    await peer.stop();
    expect(strict).not.toBe('does not fail');
  });

  it('gets the query, the headers and the credentials of the configuration', async () => {
    const seen: unknown[] = [];
    server.handle = (request, response): void => {
      seen.push([request.url, request.headers.authorization, request.headers['x-id']]);
      response.end('{"value": 1}');
    };
    const basic = `Basic ${Buffer.from('carol:p:ss').toString('base64')}`;
    await new Device(entry({ query: { q: 'a b&c', limit: 5 }, headers: { 'x-id': 'seven' } })).read();
    await new Device(entry({ username: 'carol', password: 'p:ss' })).read();
    await new Device(entry({ url: `http://carol:p%3Ass@127.0.0.1:${server.port}/api?x=1` })).read();
    await new Device(entry({ token: 't0k3n' })).read();
    expect(seen).toEqual([
      ['/api?q=a+b%26c&limit=5', undefined, 'seven'],
      ['/api', basic, undefined],
      ['/api?x=1', basic, undefined],
      ['/api', 'Bearer t0k3n', undefined],
    ]);
  });

  it('that is absent, hangs, sends garbage or less than it said fails with the reason, and comes back', async () => {
    const device = new Device(entry());
    await server.stop();
    expect(await device.failure()).toMatch(/ECONNREFUSED/);
    await server.start();
    server.handle = (): void => undefined;
    expect(await new Device(entry({ timeout: '300ms' })).failure()).toBe('no answer within 300 ms');
    answers('<html>');
    expect(await device.failure()).toBe('answered with something that is not JSON: "<html>"');
    answers({ value: 'NaN' });
    expect(await device.failure()).toBe('the value of m must be a number, got "NaN"');
    answers({ value: 1 });
    expect(await device.values()).toEqual({ m: 1 });
    expect(device.log.at(-1)).toBe('rack works again');
  });

  it('whose answer has NaN in it, as Python and printf write it, gives what else it has', async () => {
    const mapping = '[{"metric_name": "t", "value": t}, {"metric_name": "h", "value": h, "labels": {"of": of}}]';
    const device = new Device(entry({ mapping }));
    for (const none of ['NaN', 'nan', '-nan', 'Infinity', '-inf']) {
      answers(`{"of": "nan \\"nan", "h": 40, "t":${none}}`);
      expect(await device.values()).toEqual({ 'h{of=nan "nan}': 40 });
      expect(device.rejected).toEqual(['the value of t: must be a number, got null']);
    }
    answers(`{"of": "${'x'.repeat(500_000)}", "t": nan }, "h": 40}`);
    expect(await device.failure()).toMatch(
      /^answered with something that is not JSON: ".{90,110}" \(.*position 5000\d\d/,
    );
    answers('');
    expect(await device.failure()).toBe('answered with nothing, and not with JSON');
  });

  it.each([
    ['by the charset that it says', 'application/json; charset=ISO-8859-1', 'latin1', ''],
    ['in UTF-16', 'application/json;charset="utf-16le"', 'utf16le', '\ufeff'],
    ['in Latin-1, though it says nothing', 'application/json', 'latin1', ''],
    ['in Latin-1, though it says UTF-8', 'application/json; charset=utf-8', 'latin1', ''],
    ['in UTF-8, though its charset is none', 'application/json; charset=klingon', 'utf8', '\ufeff'],
  ] as const)('is read %s', async (_name, type, encoding, mark) => {
    const mapping = '{"metric_name": "t", "value": t, "unit": u, "labels": {"room": room}}';
    const body = Buffer.from(`${mark}{"t": 212, "u": "°F", "room": "Küche"}\0`, encoding);
    server.handle = (_request, response): void => void response.writeHead(200, { 'content-type': type }).end(body);
    expect(await new Device(entry({ mapping })).values()).toEqual({ 't{room=Küche} Cel': 100 });
  });

  it('whose answer is packed otherwise than it says, or is cut off, says so', async () => {
    const device = new Device(entry());
    for (const [body, reason] of [
      ['{"value": 1}', 'incorrect header check'],
      [gzipSync('{"value": 1}').subarray(0, -6), 'unexpected end of file'],
    ] as const) {
      server.handle = (_request, response): void =>
        void response.writeHead(200, { 'content-encoding': 'gzip' }).end(body);
      expect(await device.failure()).toBe(`the answer is not gzip, though it says so, or is cut off: ${reason}`);
    }
    let asked: string | undefined;
    server.handle = (request, response): void => {
      asked = request.headers['accept-encoding'];
      response.writeHead(200, { 'content-length': 100 }).write('{"value": 1}', () => response.destroy());
    };
    expect(await device.failure()).toBe('it has cut the connection in the middle of its answer');
    expect(asked).toBe('gzip, br');
    server.handle = (request): void => void request.socket.end();
    expect(await device.failure()).toBe('it has closed the connection without an answer (socket hang up)');
  });

  it('that sends 100 MB, or 100 MB in a small answer, is cut off at 2 MB', async () => {
    const peer = await new TcpPeer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      flood(socket, 100e6);
    }).start();
    const url = `http://127.0.0.1:${peer.port}/`;
    const million = gzipSync(Buffer.alloc(1e6, 'x'));
    const growth = await memoryGrowth(async () => {
      expect(await new Device(entry({ url })).failure()).toBe('the answer is longer than 2097152 bytes');
    });
    await peer.stop();
    expect(growth).toBeLessThan(100 * 2 ** 20);
    const bomb = Buffer.concat(Array.from({ length: 100 }, () => million));
    server.handle = (_request, response): void =>
      void response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    const inflated = await memoryGrowth(async () => {
      expect(await new Device(entry()).failure()).toBe('the answer is longer than 2097152 bytes');
    });
    expect(inflated).toBeLessThan(100 * 2 ** 20);
  });

  it('shows no secret, whatever it echoes', async () => {
    server.handle = (request, response): void =>
      void response
        .writeHead(401)
        .end(`${request.url} ${request.headers.authorization} ${String(request.headers['x-key'])}`);
    const device = new Device(
      entry({
        query: { api_key: 'k3yk3y' },
        headers: { 'x-key': 'h34d3r' },
        username: 'carol',
        password: '${PASSWORD}',
      }),
      { PASSWORD: 'p4ssw0rd' },
    );
    expect(await device.failure()).toBe('answered 401 "/api?api_key=*** Basic *** ***"');
    expect(device.log.join()).not.toMatch(/k3yk3y|h34d3r|p4ssw0rd/);
  });

  it('that wants digest authentication gets it, and no password', async () => {
    const md5 = (...parts: string[]): string => createHash('md5').update(parts.join(':')).digest('hex');
    const seen: string[] = [];
    server.handle = (request, response): void => {
      const { authorization = '' } = request.headers;
      seen.push(authorization);
      const [, nonce = '', cnonce = ''] = /nonce="(\w+)".*cnonce="(\w+)"/.exec(authorization) ?? [];
      const secret = md5('admin', 'shelly', 'r1ght');
      const right = md5(secret, nonce, '00000001', cnonce, 'auth', md5('GET', '/api?id=0'));
      if (nonce === 'n5' && authorization.includes(`response="${right}"`)) return void response.end('{"value": 7}');
      response.writeHead(401, { 'www-authenticate': 'Digest qop="auth", realm="shelly", nonce="n5"' });
      response.end('no');
    };
    const admin = { query: { id: '0' }, username: 'admin', password: 'r1ght' };
    expect(await new Device(entry({ ...admin, digest: true })).values()).toEqual({ m: 7 });
    expect([seen.length, seen[0]]).toEqual([2, '']);
    expect(await new Device(entry({ ...admin, password: 'wr0ng', digest: true })).failure()).toBe('answered 401 "no"');
    expect(await new Device(entry(admin)).failure()).toBe(
      'answered 401: it wants digest authentication, which `digest: true` is for',
    );
    expect(mistakesOf(entry({ digest: true }))).toEqual(['third_party[0].digest: needs username and password']);
  });

  it('says what is wrong in its configuration', () => {
    expect(mistakesOf(entry({ ca: 'ca.pem', token: 't0k3n', username: 'carol', qery: { a: 1 } }))).toEqual([
      'third_party[0].token: does not go with username and password; one of them must go',
      'third_party[0].ca: must be a certificate in PEM, as in ${file:ca.pem}',
      'third_party[0].qery: is not known here; did you mean "query"?',
    ]);
    expect(mistakesOf(entry({ url: 'http://a%zz:b%@h/' }))).toEqual([]);
    const never = 'has characters that no HTTP header may have, such as a line feed or a letter beyond Latin-1';
    expect(mistakesOf(entry({ token: 'two\nlines', headers: { 'x key': 'a', 'x-key': 'ключ' } }))).toEqual([
      'third_party[0].headers: has the name "x key", which must be letters, digits and - without blanks',
      `third_party[0].headers.x-key: ${never}`,
      `third_party[0].token: ${never}`,
    ]);
  });
});

describe('a device with TLS', () => {
  let server: Server;
  let url = '';
  beforeAll(async () => {
    server = createServer({ cert: certificate, key }, (request, response) => {
      if (request.url === '/down') response.writeHead(302, { location: 'http://127.0.0.1/' }).end();
      else response.end('{"value": 2}');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  const device = (others: object): Device => new Device({ protocol: 'http-json', url, mapping: VALUE, ...others });

  it('is read where its certificate is known, or need not be', async () => {
    expect(await device({}).failure()).toMatch(/self-signed certificate/);
    expect(await device({ ca: certificate }).values()).toEqual({ m: 2 });
    expect(await device({ insecure: true }).values()).toEqual({ m: 2 });
  });

  it('of before TLS 1.2 is not read, and said to be so', async () => {
    const versions = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const old = createServer({ cert: certificate, key, ...versions }).listen(0, '127.0.0.1');
    await once(old, 'listening');
    const reason = await device({ url: `https://127.0.0.1:${(old.address() as AddressInfo).port}/` }).failure();
    old.close();
    expect(reason).toMatch(/^TLS fails \([a-z0-9 ]*version\); an old device may speak only what is not safe any more$/);
  });

  it('that leads to where there is none is not followed', async () => {
    const down = device({ url: `${url}down`, ca: certificate });
    expect(await down.failure()).toBe('redirects from https to http, which is not followed');
  });

  it('is told apart from one without', async () => {
    const plain = await new TestServer((_request, response) => void response.end('{"value": 1}')).start();
    const wrong = device({ url: `https://127.0.0.1:${plain.port}/` });
    expect(await wrong.failure()).toBe('it speaks no TLS on this port: is the beginning of the URL right?');
    await plain.stop();
  });
});
