import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readdir, readFile, statfs } from 'node:fs/promises';
import { get } from 'node:http';
import { cpus, loadavg, networkInterfaces, uptime, type CpuInfo } from 'node:os';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type systeminformation from 'systeminformation';

/** What the PC groups read from. A test gives a folder of recorded files and recorded answers. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  /** A file of /proc, /sys and the like. Rejects where it cannot be read. */
  read(path: string): Promise<string>;
  readBytes(path: string): Promise<Buffer>;
  /** A small file of /proc, without giving up the processor; undefined where it cannot be read. */
  readNow(path: string): string | undefined;
  /** The output of a program, started without a shell. Rejects where it is not there, fails, or the signal aborts. */
  run(program: string, args: readonly string[], signal: AbortSignal): Promise<string>;
  /**
   * The JSON that an HTTP server gives at a path of its Unix socket, or named pipe of Windows. Rejects with `AnswerError` where
   * it answers anything but 200.
   */
  askSocket(socket: string, path: string, signal: AbortSignal): Promise<unknown>;
  /** The names in a folder; none where it is not there. */
  list(path: string): Promise<string[]>;
  statfs(
    path: string,
  ): Promise<{ bsize: number; blocks: number; bfree: number; bavail: number; files: number; ffree: number }>;
  /** Times of the logical processors, on every platform and without starting a program. */
  cpus(): Pick<CpuInfo, 'times' | 'speed'>[];
  /** Of the last 1, 5 and 15 minutes. */
  loadavg(): number[];
  /** Seconds since the operating system started. */
  uptime(): number;
  /** The names of the loopback interfaces. */
  loopbacks(): string[];
  /** For what no file tells; many of its calls start a program. */
  readonly si: typeof systeminformation;
}

/** This PC. */
export const thisMachine = (root = '/'): Machine => ({
  platform: process.platform,
  read: (path) => readFile(join(root, path), 'utf8'),
  readBytes: (path) => readFile(join(root, path)),
  readNow: (path) => {
    try {
      return readFileSync(join(root, path), 'utf8');
    } catch {
      return undefined;
    }
  },
  run: async (program, args, signal) => (await promisify(execFile)(program, [...args], { signal })).stdout,
  askSocket,
  list: (path) => readdir(join(root, path)).catch(() => []),
  statfs: (path) => statfs(path),
  cpus,
  loadavg,
  uptime,
  loopbacks: () =>
    Object.entries(networkInterfaces()).flatMap(([name, all]) => (all?.some((one) => one.internal) ? [name] : [])),
  // With the first group that asks: on most Linux machines none does.
  get si() {
    return load('systeminformation') as typeof systeminformation;
  },
});

const load = createRequire(import.meta.url);

export class AnswerError extends Error {
  override readonly name = 'AnswerError';

  constructor(
    readonly status: number,
    what: string,
  ) {
    super(`${what} answered ${status}`);
  }
}

function askSocket(socketPath: string, path: string, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get({ socketPath, path, signal, headers: { host: 'localhost' } }, (response) => {
      if (response.statusCode === 200) return void json(response).then(resolve, reject);
      response.resume();
      reject(new AnswerError(response.statusCode ?? 0, socketPath));
    }).on('error', reject);
  });
}

/** The text of a file without its line end; undefined where it cannot be read, as on hardware that lacks it. */
export async function readIfThere(machine: Machine, path: string): Promise<string | undefined> {
  return machine.read(path).then(
    (text) => text.trim(),
    () => undefined,
  );
}

/** The number in a file; undefined where there is none. */
export async function readNumber(machine: Machine, path: string): Promise<number | undefined> {
  const text = await readIfThere(machine, path);
  const value = Number(text);
  return text === undefined || text === '' || !Number.isFinite(value) ? undefined : value;
}
