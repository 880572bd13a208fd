import { spawn, spawnSync } from 'node:child_process';
import { afterAll, describe, expect, it } from '@jest/globals';
import { MAIN, TestFolder, until } from './harness.js';

/**
 * A pool whose server never answers: whoever opens /dev/fuse and mounts it is the server, and this one only waits. In a mount
 * namespace of its own, so that nobody else hangs. Then what is given, with the pool mounted.
 */
const WITH_SILENT_POOL = `
  set -e
  folder=$1
  shift
  mkdir -p "$folder/pool"
  exec 3<>/dev/fuse
  mount -i -t fuse.mergerfs -o fd=3,rootmode=40000,user_id=0,group_id=0 silent "$folder/pool"
  exec "$@"
`;

const folder = new TestFolder();
afterAll(() => folder.remove());
folder.write('collector.yaml', `pc:\n  interval: 1s\n  ${others()}`);

/** Only the file systems are read. */
function others(): string {
  const off = ['cpu', 'memory', 'pressure', 'disk', 'disk_health', 'pools', 'network', 'temperature', 'battery', 'gpu'];
  const all = [...off, 'uptime', 'processes', 'containers', 'services', 'users'];
  return all.map((name) => `${name}: false\n  `).join('');
}

const args = (...program: string[]): string[] => [
  '--mount',
  'sh',
  '-c',
  WITH_SILENT_POOL,
  'sh',
  folder.path,
  ...program,
];
const tried = spawnSync('unshare', args('true'), { encoding: 'utf8' });
const none = tried.error?.message ?? tried.stderr.trim();

class Collector {
  output = '';
  code: number | null | undefined;
  private readonly child;

  constructor(...command: string[]) {
    this.child = spawn('unshare', args(process.execPath, MAIN, ...command), {
      cwd: folder.path,
      env: {
        PATH: process.env['PATH'],
        API_URL: 'http://127.0.0.1:9',
        COLLECTOR_CONFIG: folder.file('collector.yaml'),
      },
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.child.on('exit', (code) => (this.code = code));
  }

  terminate(): void {
    this.child.kill('SIGTERM');
  }

  async stop(): Promise<void> {
    this.child.kill('SIGKILL');
    await until(() => this.code !== undefined);
  }
}

async function withCollector(command: string[], body: (collector: Collector) => Promise<void>): Promise<void> {
  const collector = new Collector(...command);
  try {
    await body(collector);
  } finally {
    await collector.stop();
  }
}

const title = 'a file system whose server is silent';

if (none === '') {
  describe(title, () => {
    it('is named by `read`, which prints the others and exits', () =>
      withCollector(['read', 'filesystem'], async (collector) => {
        await until(
          () => collector.code !== undefined,
          () => collector.output,
        );
        expect(collector.output).toContain('"metric_name":"system.filesystem.limit"');
        expect(collector.output).toMatch(/pool: hangs: no answer within 2 s/);
        expect(collector.code).toBe(0);
      }));

    it('does not keep a collector from ending at SIGTERM', () =>
      withCollector([], async (collector) => {
        await until(
          () => collector.output.includes('hangs: no answer'),
          () => collector.output,
        );
        collector.terminate();
        // It waits up to 5 s for an upload, and for the disk it would wait for ever.
        await until(
          () => collector.code !== undefined,
          () => collector.output,
        );
        expect(collector.code).toBe(0);
      }));
  });
} else {
  it.skip(`${title} (there is none: ${none})`, () => undefined);
}
