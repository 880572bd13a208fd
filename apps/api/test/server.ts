import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';

/** The programs that are tested: those of the packages in `npm test`, else what tsc has made. */
const PROGRAMS = resolve(process.env['DEVICE_METRICS_PROGRAMS'] ?? join(import.meta.dirname, '../../..'));
export const MAIN = join(PROGRAMS, 'apps/api/dist/main.js');

/** What an answer was. `body` is parsed JSON, or text where the answer is no JSON. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: any;
}

/** A real server process on a free port of 127.0.0.1. */
export class Server {
  /** The process has ended, and all that it said is in the log. */
  private readonly closed: Promise<unknown>;

  private constructor(
    private readonly process: ChildProcess,
    readonly url: string,
    readonly log: readonly string[],
  ) {
    this.closed = once(process, 'close');
  }

  /** @param settings environment variables; `DATABASE_PATH` at the least. */
  static async start(settings: Record<string, string>): Promise<Server> {
    const child = spawn(process.execPath, [MAIN], {
      env: { PATH: process.env['PATH'], NO_COLOR: '1', PORT: '0', ...settings },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log: string[] = [];
    const url = await new Promise<string>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface(stream).on('line', (line) => {
          log.push(line);
          const listening = /Listening on (\S+);/.exec(line);
          if (listening?.[1]) resolve(listening[1]);
        });
      }
      child.once('close', (code) => reject(new Error(`the server ended with ${code}:\n${log.join('\n')}`)));
    });
    return new Server(child, url, log);
  }

  /** The lines that a command of the api prints; fails where it does. */
  static async command(args: readonly string[], settings: Record<string, string>): Promise<string[]> {
    const env = { PATH: process.env['PATH'], NO_COLOR: '1', ...settings };
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, ...args], { env });
    return stdout.trim().split('\n');
  }

  /** Any method, with a JSON body if there is one. */
  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    return answerOf(await fetch(this.url + path, { method, headers: { ...json, ...headers }, ...content }));
  }

  async get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return answerOf(await fetch(this.url + path, { headers }));
  }

  /** One of the metrics that the server has of itself. */
  async metric(name: string): Promise<number> {
    const { body } = await this.get('/metrics');
    return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(body)?.[1]);
  }

  /** Posts JSON, or a string as it is. */
  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return answerOf(
      await fetch(this.url + path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
      }),
    );
  }

  /** Sends a signal that does not end it, such as SIGSTOP. */
  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Ends the process and gives its exit code; null after SIGKILL. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.process.kill(signal);
    await this.closed;
    return this.process.exitCode;
  }
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  const json = /[/+]json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : text };
}

/** An empty folder of its own; the function that comes with it removes it. */
export async function temporaryFolder(): Promise<{ path: string; remove: () => Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'device-metrics-api-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
