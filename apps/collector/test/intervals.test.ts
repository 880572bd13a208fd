import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from '@jest/globals';
import { LONG, until, World } from './harness.js';

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

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** How far two times are from being whole intervals apart, ms. */
function distance(a: number, b: number): number {
  const over = Math.abs(a - b) % INTERVAL;
  return Math.min(over, INTERVAL - over);
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
    let spoiled: number;
    try {
      await until(() => timesOf(SOURCES - 1).length >= RUNS);
    } finally {
      // Also where the collector failed: a helper that goes on would keep jest from ending.
      spoiled = await bareTimer.latest();
    }
    await collector.stop();

    const late: number[] = [];
    const offGrid: number[] = [];
    for (let device = HANGING; device < SOURCES; device += 1) {
      const times = timesOf(device).slice(0, RUNS);
      late.push(...times.slice(1).map((time, index) => time - (times[index] ?? 0) - INTERVAL));
      // On a fixed grid being late neither adds up nor brings a later turn forward.
      offGrid.push(...times.map((one) => median(times.map((other) => distance(one, other)))));
    }
    // What hangs would make most of them late, time after time; a disk or processor that was busy once makes some late.
    expect(median(late)).toBeLessThanOrEqual(100 + spoiled);
    expect(median(offGrid)).toBeLessThanOrEqual(100 + spoiled);
  }),
);
