import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, expect, it } from '@jest/globals';
import { TestFolder, until, World } from './harness.js';

/**
 * Serves the Docker Engine API of Podman with one container that is busy now and again, until its standard input ends. In a mount
 * namespace of its own: Podman does not work where both versions of control groups are mounted, and what it mounts goes with
 * it. In a namespace of processes too: what Podman does afterwards of itself, such as cleaning up, has ended when this has.
 */
const SERVE = `
  umount /sys/fs/cgroup/unified 2>/dev/null
  set -e
  cd "$1"
  mkdir -p image/bin
  cp /bin/busybox image/bin/sh
  tar --create --directory image --file image.tar .
  podman="podman --root $1/root --runroot $1/run --storage-driver vfs --cgroup-manager cgroupfs"
  trap '$podman rm --force --time 0 busy' EXIT
  $podman import --quiet image.tar busy:1 </dev/null
  $podman run --detach --name busy --network none --ulimit nofile=512:512 --ulimit nproc=512:512 busy:1 \\
    sh -c 'while :; do head -c 100000000 /dev/zero >/dev/null; sleep 0.2; done' </dev/null
  $podman system service --time 0 "unix://$1/docker.sock" &
  cat >/dev/null
`;

class Podman {
  private output = '';
  private ended = false;
  private readonly child: ReturnType<typeof spawn>;

  private constructor(private readonly folder: TestFolder) {
    const own = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'];
    this.child = spawn('unshare', [...own, 'sh', '-c', SERVE, 'sh', folder.path], { stdio: 'pipe' });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    this.child.on('error', (error) => (this.output = error.message)).on('close', () => (this.ended = true));
  }

  /** One that serves, or why there is none: it is not installed, or may not run a container here. */
  static async start(folder: TestFolder): Promise<Podman | string> {
    const podman = new Podman(folder);
    await until(
      () => existsSync(podman.socket) || podman.ended,
      () => podman.output,
    );
    return podman.ended ? (podman.output.trim().split('\n').at(-1) ?? '') : podman;
  }

  get socket(): string {
    return this.folder.file('docker.sock');
  }

  async stop(): Promise<void> {
    this.child.stdin?.end();
    await until(() => this.ended);
  }
}

const folder = new TestFolder();
const podman = await Podman.start(folder);
afterAll(async () => {
  if (podman instanceof Podman) await podman.stop();
  folder.remove();
});

const title = 'a container of Podman is read through its Docker API';

if (podman instanceof Podman) {
  it(
    title,
    World.test(async (world) => {
      world.folder.write('collector.yaml', `pc: { containers: { socket: ${podman.socket} } }`);
      const first = await readBusyBeyond(world, 0);
      const second = await readBusyBeyond(world, Number(first['container.cpu.time']));
      expect(second['container.memory.usage']).toBeGreaterThan(10_000);
      expect(second['container.uptime']).toBeGreaterThan(0);
      expect(second['container.uptime']).toBeLessThan(300);
    }),
  );
} else {
  it.skip(`${title} (there is none: ${podman})`, () => undefined);
}

/** The first reading whose processor time is above: some kernels account for a container's time only now and then. */
async function readBusyBeyond(world: World, cpuTime: number): Promise<Record<string, number>> {
  let reading: Record<string, number> = {};
  await until(async () => {
    reading = await readBusy(world);
    return Number(reading['container.cpu.time']) > cpuTime;
  });
  return reading;
}

async function readBusy(world: World): Promise<Record<string, number>> {
  const lines = (await world.command('read', 'containers')).split('\n').filter((line) => line.startsWith('{'));
  const metrics = lines.map((line) => JSON.parse(line) as { metric_name: string; labels: object; value: number });
  for (const { labels } of metrics) expect(labels).toMatchObject({ 'container.name': 'busy' });
  return Object.fromEntries(metrics.map(({ metric_name, value }) => [metric_name, value]));
}
