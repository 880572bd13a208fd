import { spawn, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createInterface } from 'node:readline';
import type { StoreSettings } from '../columnar/store-settings.js';

/** A line of `ingest.mjs`. */
export interface Said {
  /** How many samples the store had at the start. */
  readonly found?: number;
  /** Samples before this number are stored. */
  readonly acknowledged?: number;
  readonly headSamples?: number;
  readonly rss?: number;
}

export interface Ingest {
  readonly path: string;
  readonly first: number;
  readonly count: number;
  readonly batch: number;
  readonly settings?: Partial<StoreSettings>;
  /** One device sends all of it in one hour. */
  readonly oneHour?: boolean;
}

/** Runs `ingest.mjs` to its end, or until `hear` kills it. */
export async function runIngest(
  { path, first, count, batch, settings = {}, oneHour }: Ingest,
  hear: (said: Said, child: ChildProcess) => void,
): Promise<void> {
  const script = fileURLToPath(new URL('./ingest.mjs', import.meta.url));
  const args = [
    script,
    path,
    ...[first, count, batch].map(String),
    JSON.stringify(settings),
    oneHour ? 'one-hour' : '',
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) =>
      code === 0 || signal === 'SIGKILL' ? resolve() : reject(new Error(`ingest ended with ${code ?? signal}`)),
    );
  });
  for await (const line of createInterface(child.stdout)) hear(JSON.parse(line) as Said, child);
  await ended;
}
