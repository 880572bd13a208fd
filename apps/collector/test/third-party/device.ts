import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettingsError } from '@device-metrics/settings';
import { readConfig } from '../../src/config/config.js';
import type { Redactor } from '../../src/config/redact.js';
import { SourceRunner } from '../../src/run/run-source.js';
import type { SourceTools } from '../../src/run/source.js';
import type { WireSample } from '../../src/upload/spool.js';
import { pause } from '../harness.js';

/** The timestamp of every sample that a device of these tests gives. */
export const NOW = Date.UTC(2026, 0, 15, 10);

/** A sample as it is sent, without what is the same in all tests. */
export type Sent = Omit<WireSample, 'timestamp'>;

/** A device of the configuration file, read as the collector reads it: checked, timed, and its log redacted. */
export class Device {
  /** What the log has, after secrets were taken out. */
  readonly log: string[] = [];
  private readonly runner: SourceRunner;
  private readonly redactor: Redactor;

  /** @param entry of `third_party`; `device` is `rack` where it does not say. */
  constructor(entry: Readonly<Record<string, unknown>>, environment: Readonly<Record<string, string>> = {}) {
    const config = configOf(entry, environment);
    const [source] = config.sources;
    if (!source) throw new Error('the configuration has no source');
    this.redactor = config.redactor;
    const say = (message: string): void => void this.log.push(config.redactor.redact(message));
    const tools = { say } as Partial<SourceTools> as SourceTools;
    this.runner = new SourceRunner(source.create(tools), source, { log: say, warn: say });
  }

  /** @throws Error with the reason, secrets taken out, when the run fails. */
  async read(): Promise<Sent[]> {
    const metrics = await this.runner.run(NOW);
    const { outcome } = this.runner;
    if (!outcome || !metrics) throw new Error('the run was left out');
    // A run that was given up needs a moment to end; some never do.
    for (let turn = 0; this.isUnderWay && turn < 100; turn += 1) await pause(10);
    if (!outcome.success) throw new Error(this.redactor.redact(outcome.reason));
    return metrics.map(({ timestamp: _timestamp, ...sent }) => sent);
  }

  /** What the last run could not read, as `part: reason`, secrets taken out. */
  get rejected(): string[] {
    const parts = this.runner.outcome?.rejected ?? [];
    return parts.map(({ part, reason }) => this.redactor.redact(`${part}: ${reason}`));
  }

  /** Why the run fails, secrets taken out. */
  async failure(): Promise<string> {
    return this.read().then(
      () => 'does not fail',
      (error: Error) => error.message,
    );
  }

  /** Each sample as it is sent, by the real clock. */
  async timed(): Promise<readonly WireSample[]> {
    return (await this.runner.run(Date.now())) ?? [];
  }

  /** The name and time of each sample. */
  async samples(): Promise<[name: string, timestamp: number][]> {
    const samples = (await this.runner.run(NOW)) ?? [];
    return samples.map(({ metric_name, timestamp }) => [metric_name, timestamp]);
  }

  /** The value of each metric, by name and labels as in `if.speed{interface=eth0}`. */
  async values(): Promise<Record<string, number>> {
    const entries = (await this.read()).map(({ metric_name, labels, value, unit }) => {
      const pairs = Object.entries(labels ?? {}).map(([name, text]) => `${name}=${text}`);
      const key = pairs.length === 0 ? metric_name : `${metric_name}{${pairs.join(',')}}`;
      return [unit === undefined ? key : `${key} ${unit}`, value] as const;
    });
    return Object.fromEntries(entries);
  }

  close(): Promise<void> {
    return this.runner.close();
  }

  private get isUnderWay(): boolean {
    return (this.runner as unknown as { runningSince?: number }).runningSince !== undefined;
  }
}

/** What is wrong with an entry of `third_party`. */
export function mistakesOf(entry: Readonly<Record<string, unknown>>, environment = {}): readonly string[] {
  try {
    configOf(entry, environment);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.mistakes;
    throw error;
  }
}

function configOf(entry: object, environment: Readonly<Record<string, string>>): ReturnType<typeof readConfig> {
  const folder = mkdtempSync(join(tmpdir(), 'third-party-'));
  try {
    const file = join(folder, 'collector.yaml');
    writeFileSync(file, JSON.stringify({ pc: false, third_party: [{ device: 'rack', ...entry }] }));
    return readConfig({ ...environment, COLLECTOR_CONFIG: file, COLLECT_INTERVAL: '1h' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A TCP server on a free port of 127.0.0.1 that does what the test says with each connection. */
export class TcpPeer {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  port = 0;

  constructor(public onConnection: (socket: Socket) => void) {}

  /** The second time it listens on the port of the first. */
  async start(): Promise<this> {
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.sockets.delete(socket));
      this.onConnection(socket);
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    return this;
  }

  /** Cuts every connection. */
  async stop(): Promise<void> {
    const closed = this.server && once(this.server, 'close');
    this.server?.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** Writes as fast as the other side takes it, up to a number of bytes. */
export function flood(socket: Socket, bytes: number, chunk = Buffer.alloc(65_536, 'x')): void {
  let left = bytes;
  const more = (): void => {
    while (left > 0 && !socket.destroyed) {
      left -= chunk.length;
      if (!socket.write(chunk)) return;
    }
  };
  socket.on('drain', more);
  more();
}

/** How much the memory of this process has grown at most while something runs, bytes. */
export async function memoryGrowth(run: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
  try {
    await run();
  } finally {
    clearInterval(timer);
  }
  return Math.max(most, process.memoryUsage.rss()) - before;
}
