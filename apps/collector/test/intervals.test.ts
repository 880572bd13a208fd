import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { LONG, until, World, type CollectorProcess } from './harness.js';

const INTERVAL = 500;
const RUNS = LONG ? 200 : 8;
const HANGING = 10;
const SOURCES = 30;

/**
 * A process with nothing but a timer of 10 ms: how late it ever comes is what this machine, busy with other tests, does even
 * to one that hardly needs a processor.
 */
class BareTimer {
  private readonly child = spawn(process.execPath, ['--input-type=module', '--eval', BARE_TIMER], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  private output = '';

  async start(): Promise<this> {
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    await until(() => this.output.includes('started'));
    return this;
  }

  /** Ends it; the latest that it came, ms. */
  async latest(): Promise<number> {
    this.child.kill('SIGTERM');
    await once(this.child, 'close');
    return Number(/latest (\S+)/.exec(this.output)?.[1]);
  }
}

const BARE_TIMER = `
  let latest = 0;
  let due = performance.now() + 10;
  const turn = () => {
    const late = performance.now() - due;
    latest = Math.max(latest, late);
    due += 10 * (1 + Math.max(0, Math.floor(late / 10)));
    setTimeout(turn, Math.ceil(due - performance.now()));
  };
  setTimeout(turn, 10);
  process.on('SIGTERM', () => { console.log('latest', latest); process.exit(); });
  console.log('started');
`;

/** How long the thread of a collector that runs the timers was kept waiting for a processor, by Linux. */
class Waiting {
  private readonly file: string;
  private readonly seen: { readonly at: number; readonly waited: number }[] = [];
  private readonly timer = setInterval(() => this.look(), 10);

  constructor({ child: { pid } }: CollectorProcess) {
    this.file = `/proc/${pid}/task/${pid}/schedstat`;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Between two times, or a little more: from the last look before to the first after, ms. */
  between(from: number, to: number): number {
    const before = this.seen.findLast(({ at }) => at <= from)?.waited ?? 0;
    const after = this.seen.find(({ at }) => at >= to) ?? this.seen.at(-1);
    return (after?.waited ?? 0) - before;
  }

  private look(): void {
    const waited = Number((existsSync(this.file) ? readFileSync(this.file, 'utf8') : '0 0').split(' ')[1]) / 1e6;
    this.seen.push({ at: Date.now(), waited });
  }
}

it(
  `${HANGING} of ${SOURCES} sources that hang do not keep the others from their interval by 100 ms`,
  World.test(async (world) => {
    const hanging = await world.serve(() => undefined);
    const quick = await world.serve((_request, response) => void response.end('up 1\n'));
    world.configure(
      ...Array.from({ length: SOURCES }, (_, index) => {
        const { url } = index < HANGING ? hanging : quick;
        return `{ protocol: prometheus, device: d${index}, url: '${url}', interval: ${INTERVAL}ms }`;
      }),
    );
    const timesOf = (device: number): number[] =>
      world.api.samples
        .filter(({ device_name, metric_name }) => device_name === `d${device}` && metric_name === 'up')
        .map(({ timestamp }) => timestamp)
        .sort((a, b) => a - b);
    const bareTimer = await new BareTimer().start();
    const collector = world.collector();
    const waiting = new Waiting(collector);
    let spoiled: number;
    try {
      await until(() => timesOf(SOURCES - 1).length >= RUNS);
    } finally {
      // Also where the collector failed: a helper that goes on would keep jest from ending.
      waiting.stop();
      spoiled = await bareTimer.latest();
    }
    await collector.stop();

    const late: number[] = [];
    for (let device = HANGING; device < SOURCES; device += 1) {
      const times = timesOf(device).slice(0, RUNS);
      const [first = 0] = times;
      for (const [index, time] of times.slice(1).entries()) {
        const before = times[index] ?? 0;
        // On a fixed grid being late neither adds up nor brings a later turn forward.
        const behind = time - first - INTERVAL * (index + 1);
        expect(behind).toBeGreaterThan(-100);
        late.push(time - before - INTERVAL - waiting.between(before, time), behind - waiting.between(first, time));
      }
    }
    // What hangs would make all of them late, time after time; a busy machine makes some late, now and then.
    late.sort((a, b) => a - b);
    expect(late[Math.floor(late.length * 0.8)]).toBeLessThanOrEqual(100 + spoiled);
  }),
);
