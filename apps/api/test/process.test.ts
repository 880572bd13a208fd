import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';

/** More at once than the 511 that Node has wait by itself, and fewer than the 4,096 of the kernel. */
const SENDERS = process.env['DEVICE_METRICS_LONG'] ? 3_500 : 1_500;

let server: Server | undefined;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await server?.stop();
});
afterAll(() => folder.remove());

const start = async (settings: Record<string, string> = {}): Promise<Server> =>
  (server = await Server.start({ DATABASE_PATH: join(folder.path, 'new/folder/metrics.db'), ...settings }));

describe('the server', () => {
  it('makes its database, says how it is, and stops cleanly on SIGTERM', async () => {
    const first = await start();
    expect(existsSync(join(folder.path, 'new/folder/metrics.db'))).toBe(true);
    expect(await first.get('/healthz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await first.get('/readyz')).toMatchObject({ status: 200, body: { status: 'ok' } });
    // A second one on its database would delete its journal.
    const beside = Server.start({ DATABASE_PATH: join(folder.path, 'new/folder/metrics.db') });
    await expect(beside).rejects.toThrow('another api runs on');
    // A sample whose end comes during the stop.
    const body = JSON.stringify({ device_name: 'd', metric_name: 'm', value: 0 });
    const sender = connect(Number(new URL(first.url).port), '127.0.0.1');
    await once(sender, 'connect');
    sender.write(
      `POST /api/v1/aggregator/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
        `Content-Length: ${body.length}\r\n\r\n${body.slice(0, 5)}`,
    );
    // Whoever is answered after it has connected and written after it.
    for (let turn = 0; turn < 2; turn += 1) await first.get('/healthz');
    const stopped = first.stop('SIGTERM');
    await setTimeout(100);
    sender.write(body.slice(5));
    expect((await sender.setEncoding('utf8').toArray()).join('')).toMatch(/^HTTP\/1\.1 201 /);
    expect(await stopped).toBe(0);
  });

  it('refuses nobody of a fleet that connects all at once, as after an outage', async () => {
    const { url } = await start();
    const body = JSON.stringify({ device_name: 'd', metric_name: 'm', value: 0 });
    const request = `POST /api/v1/aggregator/metrics HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answers = Array.from({ length: SENDERS }, async () => {
      const sender = connect(Number(new URL(url).port), '127.0.0.1');
      sender.write(request);
      return (await sender.setEncoding('utf8').toArray()).join('').slice(9, 12);
    });
    expect([...new Set(await Promise.all(answers))]).toEqual(['201']);
  });

  it('says every mistake in its settings, once and without a stack, and does not start', async () => {
    for (const host of ['localhost:3000', '[::1]', '999.1.1.1']) {
      await expect(start({ HOST: host })).rejects.toThrow(`HOST must be an IP address or a host name, got "${host}"`);
    }
    const said = await start({ PORT: '70000', HOST: 'a b', RETENTION_RAW: '90' }).catch(String);
    for (const mistake of [
      /HOST must be an IP address or a host name, got "a b"/,
      /PORT must be an integer from 0 to 65535, got "70000"/,
      /RETENTION_RAW must be a duration of at least a day.* got "90"/,
    ]) {
      expect(said).toMatch(mistake);
    }
    expect(said).not.toMatch(/RETENTION_HOURLY|\n +at /);
  });

  it('names the setting where its database or its port cannot be had', async () => {
    await expect(start({ DATABASE_PATH: folder.path })).rejects.toThrow(
      `DATABASE_PATH ${folder.path} cannot be opened: unable to open database file`,
    );
    const below = join(folder.path, 'a-file');
    await writeFile(below, '');
    const said = await start({ DATABASE_PATH: join(below, 'metrics.db') }).catch(String);
    expect(said).toContain(`DATABASE_PATH ${below}/metrics.db cannot be opened: EEXIST`);
    expect(said).not.toMatch(/\n +at /);
    // Where nobody can tell whether another one runs on it, none does.
    const path = join(folder.path, 'locked/metrics.db');
    await Server.command(['token', 'list'], { DATABASE_PATH: path });
    await mkdir(`${path}.lock`);
    await expect(start({ DATABASE_PATH: path })).rejects.toThrow(`cannot be used: ${path}.lock cannot be opened`);
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    await expect(start({ PORT: String(port) })).rejects.toThrow(
      `PORT ${port} of 127.0.0.1 cannot be listened on: listen EADDRINUSE`,
    );
    other.close();
  });

  it('warns of variables that nearly have the name of a setting, and goes on after a SIGHUP', async () => {
    const begun = await start({ BACKUP_SCHEDUL: '0 3 * * *' });
    expect(begun.log.join('\n')).toContain('BACKUP_SCHEDUL is no setting; did you mean BACKUP_SCHEDULE?');
    // Nobody has closed a terminal: it runs in none.
    begun.signal('SIGHUP');
    await setTimeout(100);
    expect(await begun.get('/readyz')).toMatchObject({ status: 200 });
  });

  it('does not start on a file that is no database, and leaves it as it is', async () => {
    const path = join(folder.path, 'notes.txt');
    const dear = 'not a database, but dear to somebody'.repeat(100);
    await writeFile(path, dear);
    const said = await start({ DATABASE_PATH: path }).then(
      () => '',
      (error: Error) => error.message,
    );
    expect(said.trim().split('\n')).toEqual([
      'the server ended with 1:',
      expect.stringMatching(
        /DATABASE_PATH \S+notes.txt cannot be opened: file is not a database; ".* repair FILE" saves/,
      ),
    ]);
    expect(await readFile(path, 'utf8')).toBe(dear);
  });
});

describe('the server while it runs', () => {
  let running: Server;
  beforeAll(async () => {
    running = await Server.start({ DATABASE_PATH: join(folder.path, 'running/metrics.db') });
  });
  afterAll(() => running.stop());

  it('counts what it stored and refused in its own /metrics', async () => {
    const { get, post } = bound(running);
    const item = { device_name: 'counted', metric_name: 'm', value: 1 };
    await post('/api/v1/aggregator/metrics/batch', [item, { ...item, metric_name: 'n' }, { ...item, value: 'x' }]);

    const { body, headers } = await get('/metrics');
    expect(headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(body).toContain('device_metrics_samples_stored_total{protocol="json"} 2\n');
    expect(body).toContain('device_metrics_items_rejected_total{protocol="json"} 1\n');
    expect(body).toMatch(
      /http_server_request_duration_seconds_count\{http_request_method="POST",http_route="[^"]*batch"/,
    );
    expect(body).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(body).toMatch(/^device_metrics_store_head_samples [1-9]/m);
    expect(body).toContain('device_metrics_store_damaged 0\n');
  });

  it('serves Swagger UI and its OpenAPI document from itself, with an example for every call', async () => {
    const { get } = bound(running);
    expect((await get('/openapi.json')).body).toMatchObject({ openapi: expect.stringMatching(/^3/) });
    const page = await get('/docs');
    expect(page.status).toBe(200);
    const assets = [...String(page.body).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, asset]) => asset ?? '');
    expect(assets.length).toBeGreaterThan(3);
    for (const asset of assets) {
      expect(asset).not.toMatch(/^(https?:)?\/\//);
      expect((await get(new URL(asset, 'http://x/docs').pathname)).status).toBe(200);
    }

    const { paths, components } = (await get('/docs/openapi.json')).body;
    const calls = Object.entries<Record<string, Call>>(paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, call]) => ({ name: `${method} ${path}`, call })),
    );
    expect(calls.map(({ name }) => name)).toEqual(expect.arrayContaining(['get /api/v1/reports/summary']));
    for (const { name, call } of calls) {
      expect(`${name}: ${call.summary}`).not.toContain('undefined');
      for (const body of [call.requestBody, ...Object.values(call.responses)]) {
        const [content] = Object.values(body?.content ?? {});
        if (content)
          expect({ name, example: hasExample(content, components.schemas) }).toEqual({ name, example: true });
      }
    }
  });

  it('stops cleanly on SIGINT, though a browser has opened a connection in advance', async () => {
    const unused = connect(Number(new URL(running.url).port), '127.0.0.1');
    await once(unused, 'connect');
    expect(await running.stop('SIGINT')).toBe(0);
  });
});

interface Content {
  readonly example?: unknown;
  readonly examples?: unknown;
  readonly schema?: Schema;
}
interface Schema {
  readonly $ref?: string;
  readonly example?: unknown;
  readonly format?: string;
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
}
interface Call {
  readonly summary?: string;
  readonly requestBody?: { content?: Record<string, Content> };
  readonly responses: Record<string, { content?: Record<string, Content> }>;
}

/** Whether Swagger UI can show a full example: a given one, or one made of the examples of all properties. */
function hasExample({ example, examples, schema }: Content, schemas: Record<string, Schema>): boolean {
  const complete = (part: Schema | undefined): boolean => {
    if (!part) return false;
    if (part.example !== undefined) return true;
    if (part.$ref) return complete(schemas[part.$ref.split('/').at(-1) ?? '']);
    if (part.items) return complete(part.items);
    const properties = Object.values(part.properties ?? {});
    return properties.length > 0 && properties.every(complete);
  };
  // Nobody writes Snappy or protobuf by hand.
  return example !== undefined || examples !== undefined || schema?.format === 'binary' || complete(schema);
}

const bound = (s: Server): { get: Server['get']; post: Server['post'] } => ({
  get: s.get.bind(s),
  post: s.post.bind(s),
});
