import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile, realpath, stat, statfs } from 'node:fs/promises';
import { get } from 'node:http';
import { cpus, loadavg, networkInterfaces, uptime, type CpuInfo } from 'node:os';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
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
  /** Where a path leads once its links are followed; undefined where it is not there. */
  resolve(path: string): Promise<string | undefined>;
  isFolder(path: string): Promise<boolean>;
  /** Of a file system of the kernel itself: where it hangs, this process cannot end. */
  statfs(path: string): Promise<StatFs>;
  /**
   * Of any file system, by a program, as one whose server is silent hangs for ever. The abort of the signal kills the program; the
   * promise ends when the program does.
   */
  statfsApart(path: string, signal: AbortSignal): Promise<StatFs>;
  /** Whether a process is there, seen or not. */
  isRunning(pid: number): boolean;
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

/** As statfs(2) tells: numbers of blocks of `bsize` bytes, and of inodes. */
export interface StatFs {
  readonly bsize: number;
  readonly blocks: number;
  readonly bfree: number;
  readonly bavail: number;
  readonly files: number;
  readonly ffree: number;
}

/**
 * Files that the kernel answers from its memory: read at once they cost a tenth of the processor time. Sensors, batteries and
 * the like ask the hardware, which may take its time.
 */
const AT_ONCE = /^(proc|sys\/block|sys\/devices\/system\/cpu)(\/|$)/;

/** This PC. */
export const thisMachine = (root = '/'): Machine => ({
  platform: process.platform,
  // Async functions, so that what cannot be read rejects in both cases.
  read: async (path) =>
    AT_ONCE.test(path) ? readFileSync(join(root, path), 'utf8') : readFile(join(root, path), 'utf8'),
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
  list: async (path) => {
    try {
      return AT_ONCE.test(path) ? readdirSync(join(root, path)) : await readdir(join(root, path));
    } catch {
      return [];
    }
  },
  resolve: (path) =>
    realpath(join(root, path)).then(
      (target) => relative(root, target),
      () => undefined,
    ),
  isFolder: (path) =>
    stat(join(root, path)).then(
      (one) => one.isDirectory(),
      () => false,
    ),
  statfs: (path) => statfs(path),
  statfsApart,
  isRunning: (pid) => {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  },
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

/**
 * By `stat -f`, which also tells the size that blocks are counted in; Node tells another, the best size of a transfer. The
 * abort kills the program, but the kernel may keep it until the server answers; this process ends nevertheless.
 */
function statfsApart(path: string, signal: AbortSignal): Promise<StatFs> {
  return new Promise((resolve, reject) => {
    const args = ['LC_ALL=C', 'stat', '-f', '-c', '%S %b %f %a %c %d', '--', path];
    const child = execFile('env', args, (error, stdout, stderr) => {
      if (error) {
        const said = /: ([^:\n]+)\n?$/.exec(stderr)?.[1];
        return reject(said === undefined ? error : new Error(said));
      }
      const [bsize = 0, blocks = 0, bfree = 0, bavail = 0, files = 0, ffree = 0] = stdout.trim().split(' ').map(Number);
      resolve({ bsize, blocks, bfree, bavail, files, ffree });
    });
    const abort = (): void => {
      child.kill('SIGKILL');
      child.unref();
      child.stdout?.destroy();
      child.stderr?.destroy();
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort);
  });
}

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
