import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { findPostgres } from './postgres-server.mjs';

const SCRIPT = fileURLToPath(new URL('./postgres-server.mjs', import.meta.url));

/** Why there is no PostgreSQL to test with; undefined where there is. */
export const whyNoPostgres = findPostgres() === undefined ? 'PostgreSQL is not installed' : undefined;

if (whyNoPostgres !== undefined) process.stderr.write(`tests over PostgreSQL are skipped: ${whyNoPostgres}\n`);

/** A PostgreSQL that a test starts for itself. */
export interface PostgresServer {
  readonly url: (database: string) => string;
  readonly process: ChildProcessByStdio<Writable, Readable, null>;
  /** Ends it at once, without a word to anybody; it starts again by itself. */
  shutDownImmediately(): Promise<void>;
  /** Ends it at once too, and for good. */
  stop(): Promise<void>;
}

/** Starts a PostgreSQL with settings such as `fsync=off`. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const child = spawn(process.execPath, [SCRIPT, ...settings], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout);
  const next = (): Promise<{ port: number }> =>
    new Promise((resolve) => lines.once('line', (line) => resolve(JSON.parse(line) as { port: number })));
  const { port } = await next();
  return {
    url: (database) => `postgres://postgres@127.0.0.1:${port}/${database}`,
    process: child,
    shutDownImmediately: async () => {
      const again = next();
      child.stdin.write('\n');
      await again;
    },
    stop: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null) return resolve();
        child.once('exit', () => resolve());
        child.stdin.end();
      }),
  };
}
