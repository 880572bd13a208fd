import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Counter, Gauge, Histogram, Registry, Summary, type RegistryContentType } from 'prom-client';
import { Device, memoryGrowth, mistakesOf, NOW } from '../../../test/third-party/device.js';
import { TestServer } from '../../../test/harness.js';
import { exporterReadings } from '@device-metrics/formats';

const CASES = new URL('../../../../../libs/formats/src/prometheus/testcases/', import.meta.url);

describe('a recorded exporter', () => {
  const names = readdirSync(CASES, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? entry.name : []));
  it.each(names)('%s gives what is expected of it', (name) => {
    const read = (file: string): string => readFileSync(new URL(`${name}/${file}`, CASES), 'utf8');
    const type = name.endsWith('_openmetrics') ? 'application/openmetrics-text; version=1.0.0' : 'text/plain';
    expect(exporterReadings(read('input.txt'), type)).toEqual(JSON.parse(read('expected.json')));
  });
});

/** As a program that uses prom-client has it. */
async function exposed(openMetrics: boolean): Promise<string> {
  const registry = new Registry<RegistryContentType>();
  const registers = [registry];
  if (openMetrics) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  new Counter({ name: 'jobs_total', help: 'Jobs.\nAll', labelNames: ['queue'], registers }).inc({ queue: 'a"\\\n' }, 3);
  new Gauge({ name: 'room_celsius', help: 'Room', registers }).set(-1.5e-7);
  new Histogram({ name: 'wait_seconds', help: 'Wait', buckets: [0.1, 1], registers }).observe(0.5);
  new Summary({ name: 'size_bytes', help: 'Size', percentiles: [0.5], registers }).observe(2048);
  return registry.metrics();
}

describe('an exporter', () => {
  const server = new TestServer((_request, response) => void response.end('up 1\n'));
  const entry = (): Record<string, unknown> => ({
    protocol: 'prometheus',
    url: `${server.url}/metrics`,
    timeout: '60s',
  });
  beforeAll(() => server.start());
  beforeEach(() => {
    server.handle = (_request, response): void => void response.end('up 1\n');
  });
  afterAll(() => server.stop());
  const answers = (body: string, type = 'text/plain; version=0.0.4'): void => {
    server.handle = (_request, response): void => void response.writeHead(200, { 'content-type': type }).end(body);
  };

  it('with a bad line gives the others, and says which series come twice', async () => {
    answers('up 1\nbad{ 2\na{x="1"} 3\na{x="1"} 4');
    const exporter = new Device(entry());
    expect((await exporter.read()).map(({ value }) => value)).toEqual([1, 3, 4]);
    expect(exporter.rejected).toEqual(['line 2: must be the name of a label or }, got "2"']);
    expect(exporter.log.at(-1)).toMatch(/only 2 count, as later ones have the same device, metric and labels: rack a/);
  });

  it('of one line in another encoding keeps the others, and texts that differ stay apart', async () => {
    const lines = [Buffer.from('a{x="Köln"} 1\n'), Buffer.from('a{x="K\xfcln"} 2\na{x="K\xe4ln"} 3\n', 'latin1')];
    server.handle = (_request, response): void => void response.end(Buffer.concat(lines));
    expect(await new Device(entry()).values()).toEqual({ 'a{x=Köln}': 1, 'a{x=Küln}': 2, 'a{x=Käln}': 3 });
  });

  it('may have its own times', async () => {
    answers(`up 1 ${NOW - 7_000}\nother 2\n`);
    expect(await new Device({ ...entry(), timestamps: 'source' }).samples()).toEqual([
      ['up', NOW - 7_000],
      ['other', NOW],
    ]);
    expect(await new Device(entry()).samples()).toEqual([
      ['up', NOW],
      ['other', NOW],
    ]);
  });

  it.each([
    ['the text format', false, 'text/plain; version=0.0.4; charset=utf-8', { queue: 'a"\\\n' }],
    ['OpenMetrics', true, 'application/openmetrics-text; version=1.0.0; charset=utf-8', { queue: 'a"\\\n' }],
  ])('that prom-client makes is read in %s', async (_name, openMetrics, type) => {
    answers(await exposed(openMetrics), type);
    expect(await new Device(entry()).values()).toMatchObject({
      'room_celsius Cel': -1.5e-7,
      'wait_seconds_bucket{le=0.1}': 0,
      'wait_seconds_bucket{le=1}': 1,
      'wait_seconds_bucket{le=+Inf}': 1,
      'wait_seconds_sum s': 0.5,
      wait_seconds_count: 1,
      'size_bytes{quantile=0.5} By': 2048,
      'size_bytes_sum By': 2048,
      size_bytes_count: 1,
    });
  });

  it('is asked for the format of the configuration', async () => {
    let accept: string | undefined;
    server.handle = (request, response): void => {
      accept = request.headers.accept;
      response.writeHead(200, { 'content-type': 'application/openmetrics-text' }).end('up 1\n# EOF\n');
    };
    expect(await new Device({ ...entry(), format: 'openmetrics' }).values()).toEqual({ up: 1 });
    expect(accept).toMatch(/^application\/openmetrics-text;version=1.0.0;escaping=allow-utf-8/);
    expect(accept).not.toContain('text/plain');
    await new Device({ ...entry(), format: 'text' }).failure();
    expect(accept).toBe('text/plain;version=1.0.0;escaping=allow-utf-8,text/plain;version=0.0.4;q=0.9');
  });

  it('gives only what the filters take, in the base unit', async () => {
    answers(readFileSync(new URL('node_exporter/input.txt', CASES), 'utf8'));
    const device = new Device({
      ...entry(),
      include: ['node_cpu_*{mode="idle"}', 'node_filesystem_avail_bytes', 'node_load1', 'node_network_*'],
      exclude: ['*{cpu="1"}', '{device="ifb*"}'],
      units: { 'node_network_*': 'KiB', node_load1: '%' },
    });
    expect(await device.values()).toEqual({
      'node_cpu_seconds_total{cpu=0,mode=idle} s': 153.42,
      'node_filesystem_avail_bytes{device=/dev/vda,fstype=ext4,mountpoint=/} By': 81628164096,
      'node_network_receive_bytes_total{device=eth0} By': 449182332 * 1024,
      'node_load1 1': 0.0647,
    });
    answers(readFileSync(new URL('python_utf8/input.txt', CASES), 'utf8'), 'text/plain; version=1.0.0');
    const dotted = new Device({ ...entry(), include: ['http.*{"http.route"="/a*"}'], exclude: ['*_created'] });
    expect(await dotted.values()).toEqual({ 'http.server.requests_total{http.route=/a"b\\c}': 5 });
  });

  it('says what is wrong with its filters', () => {
    expect(mistakesOf({ ...entry(), include: ['node{a=b}'], exclude: ['a b'], format: 'json' })).toEqual([
      'third_party[0].format: must be one of auto, text, openmetrics, got "json"',
      'third_party[0].include: the value of the label a must be in quotes, got "b}"',
      'third_party[0].exclude: nothing may follow a name and its labels, got "b"',
    ]);
  });

  it('that is absent, hangs, sends garbage or comes back says so', async () => {
    const device = new Device(entry());
    expect(await device.values()).toEqual({ up: 1 });
    await server.stop();
    await expect(device.read()).rejects.toThrow(/ECONNREFUSED|socket hang up/);
    await server.start();
    server.handle = (): void => undefined;
    const hangs = new Device({ ...entry(), timeout: '300ms' });
    await expect(hangs.read()).rejects.toThrow('no answer within 300 ms');
    answers('<!doctype html><title>Login</title>', 'text/html');
    await expect(device.read()).rejects.toThrow('line 1: must begin with the name of a metric, got "<!doctype html>');
    answers('up 1\n');
    expect(await device.values()).toEqual({ up: 1 });
    expect(device.log.at(-1)).toBe('rack works again');
  });

  it('that sends 100 MB is refused early', async () => {
    const line = 'x 1 # and so on'.padEnd(1023, '.') + '\n';
    let sent = 0;
    server.handle = async (_request, response): Promise<void> => {
      const closed = once(response, 'close');
      for (; sent < 100 * 2 ** 20 && !response.destroyed; sent += line.length * 64) {
        if (!response.write(line.repeat(64))) await Promise.race([once(response, 'drain'), closed]);
      }
      response.end();
    };
    const device = new Device(entry());
    const growth = await memoryGrowth(() => expect(device.read()).rejects.toThrow('longer than 8388608 bytes'));
    expect(sent).toBeLessThan(20 * 2 ** 20);
    expect(growth).toBeLessThan(150 * 2 ** 20);
  });

  it('has no secret in the log or the reason of a failure', async () => {
    server.handle = (request, response): void =>
      void response.writeHead(403).end(`no: ${JSON.stringify(request.headers)}${request.url}`);
    const url = `http://carol:p%40ssw0rd@127.0.0.1:${server.port}/metrics?api_key=k3yk3y`;
    const device = new Device({
      protocol: 'prometheus',
      url,
      headers: { 'x-secret': 's3cr3t' },
      query: { token: 't0k3n' },
    });
    await expect(device.read()).rejects.toThrow('answered 403');
    const said = [await device.failure(), ...device.log].join(' ');
    for (const secret of [
      'p@ssw0rd',
      'p%40ssw0rd',
      'k3yk3y',
      's3cr3t',
      't0k3n',
      Buffer.from('carol:p@ssw0rd').toString('base64'),
    ]) {
      expect(said).not.toContain(secret);
    }
    expect(mistakesOf({ protocol: 'prometheus', url: 'ftp://carol:p4ss@h/' }).join()).not.toContain('p4ss');
  });
});
