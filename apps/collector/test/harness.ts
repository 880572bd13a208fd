import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { jest } from '@jest/globals';
import { ApiClient } from '../src/upload/api-client.js';
import { ApiConnection } from '../src/upload/api-connection.js';
import { Spool, type WireSample, type SpoolTotals } from '../src/upload/spool.js';
import { Uploader } from '../src/upload/uploader.js';

export const LONG = process.env['DEVICE_METRICS_LONG'] === '1';

if (LONG) jest.setTimeout(1_200_000);

/** The programs that are tested: those of the packages in `npm test`, else what tsc has made. */
export const PROGRAMS = resolve(process.env['DEVICE_METRICS_PROGRAMS'] ?? join(import.meta.dirname, '../../..'));
export const MAIN = join(PROGRAMS, 'apps/collector/dist/main.js');

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
  readonly stored = new Map<string, WireSample>();
  requests = 0;
  /** Answers in place of the api where it returns an answer. */
  instead: (metrics: WireSample[], response: ServerResponse) => boolean = () => false;

  constructor() {
    super((request, response) => this.receive(request, response));
  }

  get samples(): WireSample[] {
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

  store(metrics: readonly WireSample[]): void {
    for (const metric of metrics) {
      const { device_name, metric_name, labels, timestamp } = metric;
      this.stored.set(JSON.stringify([device_name, metric_name, labels, timestamp]), metric);
    }
  }

  private async receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'POST') return answer(response, 404, {});
    this.requests += 1;
    const body = await bodyOf(request).catch(() => undefined);
    if (body === undefined) return;
    const { metrics } = JSON.parse(body) as { metrics: WireSample[] };
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

/** An api, a folder, and whatever a test starts; all of it is gone when the test ends. */
export class World {
  readonly folder = new TestFolder();
  readonly api = new TestApi();
  private readonly servers: TestServer[] = [this.api];
  private readonly processes: CollectorProcess[] = [];

  /** A test in a world of its own, so that tests may run at the same time. */
  static test(body: (world: World) => Promise<void>): () => Promise<void> {
    return async () => {
      const world = new World();
      await world.api.start();
      try {
        await body(world);
      } finally {
        for (const process of world.processes) await process.stop('SIGKILL');
        for (const server of world.servers) await server.stop();
        world.folder.remove();
      }
    };
  }

  async serve(handle: TestServer['handle']): Promise<TestServer> {
    const server = await new TestServer(handle).start();
    this.servers.push(server);
    return server;
  }

  /** The file that the collector of this world reads: no PC groups, not the api, and these devices, one a line. */
  configure(...thirdParty: string[]): string {
    return this.folder.write(
      'collector.yaml',
      `pc: false\napi: false\nthird_party: [\n${thirdParty.map((one) => `  ${one},\n`).join('')}]\n`,
    );
  }

  collector(environment: Record<string, string> = {}): CollectorProcess {
    return this.start({ COLLECT_INTERVAL: '100ms', ...environment });
  }

  /** What a command prints, after `exit 1: ` where it fails. */
  async command(...command: string[]): Promise<string> {
    return this.commandWith({}, ...command);
  }

  async commandWith(environment: Record<string, string>, ...command: string[]): Promise<string> {
    const process = this.start(environment, ...command);
    const code = await process.ended;
    return code === 0 ? process.output : `exit ${code}: ${process.output}`;
  }

  /** Sends what a collector that has ended has left in its spool. */
  async drain(): Promise<void> {
    const spool = this.spool();
    const client = clientOf(this.api.url, undefined, 30_000);
    const options = { backlogPerSecond: Infinity, stopWithin: 5_000 };
    const silent = { log: (): void => undefined, warn: (): void => undefined };
    const uploader = new Uploader(spool, (payload, signal) => client.send(payload, signal), options, silent);
    uploader.start();
    await until(() => spool.totals().pendingBatches === 0);
    await uploader.stop();
    spool.close();
  }

  spool(): Spool {
    return new Spool(this.folder.file('instance/spool.db'), { maxBytes: Infinity, minFreeBytes: 0 }, () => undefined);
  }

  totals(): SpoolTotals {
    const spool = this.spool();
    try {
      return spool.totals();
    } finally {
      spool.close();
    }
  }

  private start(environment: Record<string, string>, ...command: string[]): CollectorProcess {
    const process = new CollectorProcess(this.folder, { API_URL: this.api.url, ...environment }, ...command);
    this.processes.push(process);
    return process;
  }
}

/** Far more than anything takes on a busy machine, ms. */
const PATIENCE = LONG ? 900_000 : 120_000;

/** Waits for something to become true; fails when that takes too long. To look costs time as well: the longer it takes, the less often. */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  message: () => string = () => isTrue.toString(),
): Promise<void> {
  const end = Date.now() + PATIENCE;
  for (let wait = 10; !(await isTrue()); wait = Math.min(100, wait * 1.2)) {
    if (Date.now() > end) throw new Error(`waited in vain: ${message()}`);
    await pause(wait);
  }
}

export const pause = (duration: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, duration));

/** How long something takes, without what a busy machine keeps from who waits for it, ms. */
export async function timeOf(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let [kept, last] = [0, began];
  const look = (): void => {
    const now = performance.now();
    kept += Math.max(0, now - last - 20);
    last = now;
  };
  const timer = setInterval(look, 10);
  await work().finally(() => clearInterval(timer));
  return performance.now() - began - kept;
}

/** A client of the api at a url, as a collector has it that has not joined. */
export function clientOf(url: string, token: string | undefined, timeout: number): ApiClient {
  return new ApiClient(new ApiConnection({ url, token, credential: undefined, credentialPath: '' }, timeout));
}
