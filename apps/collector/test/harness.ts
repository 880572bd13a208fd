import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Metric } from '../src/upload/spool.js';

export const LONG = process.env['DEVICE_METRICS_LONG'] === '1';

const MAIN = new URL('../dist/main.js', import.meta.url).pathname;

/** An HTTP server on a free port of 127.0.0.1. */
export class TestServer {
  private server: Server | undefined;
  port = 0;

  constructor(public handle: (request: IncomingMessage, response: ServerResponse) => void | Promise<void>) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The second time it listens on the port of the first. */
  async start(): Promise<this> {
    this.server = createServer((request, response) => void this.handle(request, response));
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  /** Cuts every connection. */
  async stop(): Promise<void> {
    const closed = this.server && once(this.server, 'close');
    this.server?.close();
    this.server?.closeAllConnections();
    await closed;
  }
}

export async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  return (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
}

/** What the api does with samples, in memory: series and timestamp are the key, the last write wins. */
export class TestApi extends TestServer {
  /** How often each sample was stored, by its series and timestamp. */
  readonly stored = new Map<string, Metric>();
  requests = 0;
  /** Answers in place of the api where it returns an answer. */
  instead: (metrics: Metric[], response: ServerResponse) => boolean = () => false;

  constructor() {
    super((request, response) => this.receive(request, response));
  }

  get samples(): Metric[] {
    return [...this.stored.values()];
  }

  valuesOf(metricName: string, deviceName?: string): number[] {
    return this.samples
      .filter(
        ({ metric_name, device_name }) => metric_name === metricName && (deviceName ?? device_name) === device_name,
      )
      .sort((a, b) => a.timestamp - b.timestamp)
      .map(({ value }) => value);
  }

  store(metrics: readonly Metric[]): void {
    for (const metric of metrics) {
      const { device_name, metric_name, labels, timestamp } = metric;
      this.stored.set(JSON.stringify([device_name, metric_name, labels, timestamp]), metric);
    }
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1;
    const body = await bodyOf(request).catch(() => undefined);
    if (body === undefined) return;
    const { metrics } = JSON.parse(body) as { metrics: Metric[] };
    if (this.instead(metrics, response)) return;
    this.store(metrics);
    answer(response, 200, { accepted: metrics.length, rejected: [] });
  }
}

export function answer(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** A folder that is gone after the tests of the file. */
export class TestFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'collector-'));

  file(name: string): string {
    return join(this.path, name);
  }

  write(name: string, content: string): string {
    writeFileSync(this.file(name), content);
    return this.file(name);
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A process of the built collector. */
export class CollectorProcess {
  output = '';
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;

  constructor(folder: TestFolder, environment: Record<string, string>, ...command: string[]) {
    this.child = spawn(process.execPath, [MAIN, ...command], {
      cwd: folder.path,
      env: { PATH: process.env['PATH'], DEVICE_NAME: 'test-pc', NO_COLOR: '1', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.ended = once(this.child, 'close').then(([code]) => code as number | null);
  }

  async says(text: string): Promise<void> {
    await until(
      () => this.output.includes(text),
      () => `${JSON.stringify(text)} is not in:\n${this.output}`,
    );
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.ended;
  }
}

/** Waits for something to become true; fails after 60 s. */
export async function until(isTrue: () => boolean, message: () => string = () => isTrue.toString()): Promise<void> {
  const end = Date.now() + 60_000;
  while (!isTrue()) {
    if (Date.now() > end) throw new Error(`waited in vain: ${message()}`);
    await pause(10);
  }
}

export const pause = (duration: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, duration));
