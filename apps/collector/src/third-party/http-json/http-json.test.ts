import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TestServer } from '../../../test/harness.js';
import { httpGet } from '../http-get.js';
import { parseMapping, readingsOf } from '../mapping.js';

const read = (answer: unknown, mapping: string): Promise<unknown> =>
  readingsOf(typeof answer === 'string' ? answer : JSON.stringify(answer), parseMapping(mapping));

describe('the mapping of an answer', () => {
  it('makes one reading of an object and several of an array', async () => {
    expect(await read({ t: 21.5 }, '{"metric_name": "hw.temperature", "value": t}')).toEqual([
      { metricName: 'hw.temperature', value: 21.5 },
    ]);
    const states = [
      { entity_id: 'kitchen', state: '20.5', attributes: { device_class: 'temperature', area: 1 } },
      { entity_id: 'door', state: 'open', attributes: { device_class: 'door' } },
      { entity_id: 'hall', state: '18', attributes: { device_class: 'temperature', area: 'EG' } },
    ];
    const mapping = `$[attributes.device_class = "temperature"].{
      "device_name": entity_id, "metric_name": "hw.temperature", "value": $number(state), "labels": {"area": attributes.area}}`;
    expect(await read(states, mapping)).toEqual([
      { deviceName: 'kitchen', metricName: 'hw.temperature', value: 20.5, labels: { area: '1' } },
      { deviceName: 'hall', metricName: 'hw.temperature', value: 18, labels: { area: 'EG' } },
    ]);
  });

  it.each([
    ['<html>', '{"metric_name": "a", "value": 1}', 'answered with something that is not JSON: "<html>"'],
    [{ a: 1 }, 'b', 'the mapping finds nothing in the answer an object with "a"'],
    [{ a: 1 }, 'a', 'the mapping must make objects, got 1'],
    [{ a: 'x' }, '{"metric_name": "m", "value": a}', 'the value of m must be a number, got "x"'],
    [
      { a: 'x' },
      '{"metric_name": "m", "value": $number(a)}',
      'the mapping does not fit the answer: Unable to cast value to a number: "x"',
    ],
    [{ a: 1 }, '{"value": a}', 'the mapping makes no metric_name in an object with "value"'],
    [
      { a: 1 },
      '{"metric_name": "m", "value": a, "Unit": "V"}',
      'the mapping makes "Unit"; allowed are metric_name, value, unit, labels, device_name',
    ],
    [{ a: 1 }, '{"metric_name": "m", "value": a, "unit": a}', "the mapping's unit must be text, got 1"],
    [{ a: 1 }, '{"metric_name": "m", "value": a, "labels": a}', "the mapping's labels must be an object, got 1"],
  ])('fails on %j with %s', async (answer, mapping, message) => {
    await expect(read(answer, mapping)).rejects.toThrow(message);
  });
});

describe('a mapping without end', () => {
  it('fails, and lets others do their work meanwhile', async () => {
    let turns = 0;
    const others = setInterval(() => (turns += 1), 10);
    const mapping = parseMapping('($f := function($x) { $f($x + 1) }; $f(1))', 1_000);
    await expect(readingsOf('{}', mapping)).rejects.toThrow('Evaluation timeout after 1000 milliseconds');
    clearInterval(others);
    expect(turns).toBeGreaterThan(0);
  });

  it('fails before it takes all memory', async () => {
    const mapping = parseMapping('($f := function($x) { 1 + $f($x + 1) }; $f(1))', 60_000);
    await expect(readingsOf('{}', mapping)).rejects.toThrow('Stack overflow');
  });
});

describe('an HTTP device', () => {
  const other = new TestServer((_request, response) => void response.end('other'));
  const device = new TestServer((request, response) => {
    if (request.url === '/ok') response.end(`hello ${String(request.headers['x-key'])}`);
    else if (request.url === '/here') response.writeHead(302, { location: '/ok' }).end();
    else if (request.url === '/there') response.writeHead(302, { location: `http://localhost:${other.port}/` }).end();
    else if (request.url === '/round') response.writeHead(302, { location: '/round' }).end();
    else if (request.url === '/large') response.end('x'.repeat(2 * 2 ** 20 + 1));
    else if (request.url === '/bomb')
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(5_000_000)));
    else if (request.url === '/cut')
      response.writeHead(200, { 'content-length': '100' }).write('half', () => response.destroy());
    else if (request.url === '/broken') response.writeHead(500).end('oh no');
  });
  beforeAll(() => Promise.all([device.start(), other.start()]));
  afterAll(() => Promise.all([device.stop(), other.stop()]));
  const maxBytes = 2 * 2 ** 20;
  const get = async (path: string, signal = AbortSignal.timeout(60_000)): Promise<string> =>
    (await httpGet({ url: `${device.url}${path}`, headers: { 'x-key': 'k' }, maxBytes }, signal)).body;

  it('gets its headers, and may redirect to itself', async () => {
    expect(await get('/ok')).toBe('hello k');
    expect(await get('/here')).toBe('hello k');
  });

  it('of an IPv6 address may redirect to itself', async () => {
    const six = createServer((request, response) => {
      if (request.url === '/here') response.writeHead(302, { location: `http://${request.headers.host}/ok` }).end();
      else response.end('hello');
    }).listen(0, '::1');
    const there = await once(six, 'listening').catch(() => undefined);
    // A machine without IPv6.
    if (!there) return;
    const url = `http://[::1]:${(six.address() as AddressInfo).port}/here`;
    const { body } = await httpGet({ url, headers: {}, maxBytes }, AbortSignal.timeout(60_000));
    six.close();
    expect(body).toBe('hello');
  });

  it.each([
    ['/there', 'redirects to another host (http://localhost)'],
    ['/round', 'Maximum number of redirects exceeded'],
    ['/large', 'the answer is longer than 2097152 bytes'],
    ['/bomb', 'the answer is longer than 2097152 bytes'],
    ['/broken', 'answered 500 "oh no"'],
    ['/cut', 'it has cut the connection in the middle of its answer'],
  ])('%s fails: %s', async (path, message) => {
    await expect(get(path)).rejects.toThrow(message);
  });

  it('is given up when the signal says so', async () => {
    await expect(get('/hangs', AbortSignal.timeout(50))).rejects.toThrow('given up');
  });

  it('that is not there fails with the reason', async () => {
    const gone = await new TestServer(() => undefined).start();
    await gone.stop();
    const target = { url: gone.url, headers: {}, maxBytes };
    await expect(httpGet(target, AbortSignal.timeout(60_000))).rejects.toThrow(/ECONNREFUSED/);
  });
});
