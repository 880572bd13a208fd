import { dataSourceOptions, openSampleStore, type Store, type StoreSettings } from '@device-metrics/storage';
import type { Sample } from '@device-metrics/domain';
import { rmSync } from 'node:fs';
import { mkdtemp, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DataSource } from 'typeorm';
import { cpuSeconds, medianMs, timed } from './measure.js';
import { NarrowRowStore } from './narrow-row-store.js';
import { DEVICES, INTERVAL, METRICS, randomFrom, START, Workload } from './workload.js';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SERIES = DEVICES * METRICS;

const { values: options } = parseArgs({
  options: {
    samples: { type: 'string', default: '1.8M' },
    /** Leaves out the baseline, which takes most of the time. */
    'no-baseline': { type: 'boolean', default: false },
  },
});
const TOTAL = parseCount(options.samples);

const folder = await mkdtemp(join(tmpdir(), 'bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

interface OpenStore {
  readonly store: Store;
  readonly close: () => Promise<void>;
}

async function open(name: string, settings: Partial<StoreSettings> = {}): Promise<OpenStore> {
  const dataSource = await new DataSource(dataSourceOptions(join(folder, name))).initialize();
  const store = await openSampleStore(dataSource, { rawRetention: 0, hourlyRetention: 0, ...settings });
  return {
    store,
    close: async () => {
      await store.close();
      await dataSource.destroy();
    },
  };
}

/** A clock that stands where the workload is, so that hours end while it runs. */
class WorkloadClock {
  time = START;
  readonly now = (): number => this.time;
}

async function ingest(
  append: (samples: Sample[]) => Promise<void>,
  count: number,
  batch: number,
  clock?: WorkloadClock,
): Promise<void> {
  const workload = new Workload();
  for (let sent = 0; sent < count; sent += batch) {
    const samples = workload.next(Math.min(batch, count - sent));
    if (clock) clock.time = samples[samples.length - 1].timestamp;
    await append(samples);
  }
}

interface Figure {
  readonly figure: string;
  readonly measured: string;
  readonly bar: string;
}
const figures: Figure[] = [];
function report(figure: string, measured: string, bar = ''): void {
  figures.push({ figure, measured, bar });
  console.log(`${figure}: ${measured}${bar && `   (bar: ${bar})`}`);
}

const perSecond = (count: number, seconds: number): number => Math.round(count / seconds / 1000);

async function generationCpu(batch: number): Promise<number> {
  return (await timed(() => ingest(() => Promise.resolve(), TOTAL, batch))).cpu;
}

/** Sends the workload to a new store and seals all of it; CPU without that of making the samples. */
async function ingestColumnar(name: string, batch: number): Promise<number> {
  const clock = new WorkloadClock();
  const { store, close } = await open(name, { now: clock.now, sealInterval: 100 });
  const making = await generationCpu(batch);
  const { cpu } = await timed(async () => {
    await ingest((samples) => store.append(samples), TOTAL, batch, clock);
    clock.time += DAY;
    await store.maintain();
  });
  await close();
  return cpu - making;
}

async function queries({ store }: OpenStore): Promise<Record<string, number>> {
  const last = START + Math.floor((TOTAL - 1) / SERIES) * INTERVAL;
  const all = await store.findSeries({});
  const one = await store.findSeries({ devices: ['bench-pc-42'] });
  const hour = { start: last + 1 - HOUR, end: last + 1 };
  const day = { start: last + 1 - DAY, end: last + 1 };
  return {
    summary: await medianMs(() => store.summarize(all, day)),
    minutes: await medianMs(() =>
      drain(store.readSteps(one, { range: hour, step: 60_000, aggregates: ['count', 'min', 'max', 'sum'] as const })),
    ),
    latest: await medianMs(() => store.latest(all)),
  };
}

async function drain(items: AsyncIterable<unknown>): Promise<void> {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  for await (const _ of items);
}

async function benchBaseline(columnarCpu: number, figuresOfStore: Record<string, number>): Promise<void> {
  const narrow = new NarrowRowStore(join(folder, 'narrow.db'));
  const making = await generationCpu(5000);
  const { cpu } = await timed(() => ingest((samples) => narrow.append(samples), TOTAL, 5000));
  const last = START + Math.floor((TOTAL - 1) / SERIES) * INTERVAL;
  const all = await narrow.findSeries({});
  const one = await narrow.findSeries({ devices: ['bench-pc-42'] });
  const summary = await medianMs(() => narrow.summarize(all, { start: last + 1 - DAY, end: last + 1 }), 3, 1);
  const minutes = await medianMs(() => narrow.steps(one, { start: last + 1 - HOUR, end: last + 1 }, 60_000));
  await narrow.close();
  const { size } = await stat(join(folder, 'narrow.db'));
  report('narrow rows, thousand samples per CPU-second', String(perSecond(TOTAL, cpu - making)));
  report('narrow rows, bytes per sample', (size / TOTAL).toFixed(2));
  report(
    'store against narrow rows, samples per CPU-second',
    `${((cpu - making) / columnarCpu).toFixed(1)}x`,
    '>= 12x',
  );
  report(
    'summary of 24 h against narrow rows',
    `${(summary / figuresOfStore['summary']).toFixed(1)}x faster`,
    '>= 40x at 10.8M',
  );
  report(
    'one device, an hour by the minute, against narrow rows',
    `${(minutes / figuresOfStore['minutes']).toFixed(1)}x faster`,
    '>= 2x',
  );
}

async function benchResend(firstCpu: number): Promise<void> {
  const clock = new WorkloadClock();
  clock.time = START + 10 * DAY;
  const opened = await open('store.db', { now: clock.now, sealInterval: 100 });
  const making = await generationCpu(5000);
  const { cpu } = await timed(async () => {
    await ingest((samples) => opened.store.append(samples), TOTAL, 5000);
    clock.time += DAY;
    await opened.store.maintain();
  });
  await opened.close();
  report(
    'full resend of sealed data, CPU against the first send',
    `${((cpu - making) / firstCpu).toFixed(2)}x`,
    '<= 5x',
  );
}

async function benchStart(): Promise<void> {
  const COUNT = 1_800_000;
  const settings = { now: () => START, sealInterval: 0, maxHeadSamples: Infinity, maxOpenSamples: Infinity };
  const first = await open('start.db', settings);
  await ingest((samples) => first.store.append(samples), COUNT, 5000);
  const { journalBytes } = await first.store.health();
  await first.close();
  report('journal, bytes per sample', (journalBytes / COUNT).toFixed(1));
  let again: OpenStore | undefined;
  const { wall } = await timed(async () => {
    again = await open('start.db', settings);
  });
  report('start with 1.8M samples in the journal', `${wall.toFixed(2)} s`, '<= 1 s');
  await again?.close();
}

async function benchRandomFloats(): Promise<void> {
  const random = randomFrom(7);
  const fullPrecision = (): number =>
    (Math.floor(random() * 2 ** 26) * 2 ** 27 + Math.floor(random() * 2 ** 27)) / 2 ** 53;
  const clock = new WorkloadClock();
  const { store, close } = await open('floats.db', { now: clock.now, sealInterval: 0 });
  const ticks = 720;
  for (let tick = 0; tick < ticks; tick += 1) {
    const timestamp = START + tick * INTERVAL;
    const samples = new Workload().next(500).map((sample) => ({ ...sample, timestamp, value: fullPrecision() }));
    await store.append(samples);
  }
  clock.time += DAY;
  await store.maintain();
  const { bytes } = await store.health();
  await close();
  report('full-precision random floats, bytes per sample', (bytes / (ticks * 500)).toFixed(2), '<= 9');
}

async function benchEventLoop(): Promise<void> {
  const SECONDS = 10;
  const { store, close } = await open('loop.db', { now: () => START + 2 * DAY, sealDelay: 1500 });
  const workload = new Workload();
  await ingest((samples) => store.append(samples), 100_000, 5000);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const started = performance.now();
  const cpu = cpuSeconds();
  let sent = 0;
  let summaries = 0;
  while (performance.now() - started < SECONDS * 1000) {
    const elapsed = (performance.now() - started) / 1000;
    if (sent < elapsed * 100_000) {
      sent += 5000;
      await store.append(workload.next(5000));
    }
    if (summaries < elapsed) {
      summaries += 1;
      await store.summarize(await store.findSeries({}), { start: START, end: START + DAY });
    }
    await setTimeout(1);
  }
  delay.disable();
  report(
    'event loop, 100k samples/s and a summary each second: CPU',
    `${(((cpuSeconds() - cpu) / SECONDS) * 100).toFixed(0)} %`,
  );
  report('event-loop delay p99', `${(delay.percentile(99) / 1e6 - 5).toFixed(1)} ms`, '<= 20 ms');
  report('event-loop delay max', `${(delay.max / 1e6 - 5).toFixed(1)} ms`, '<= 150 ms');
  await close();
}

function parseCount(text: string): number {
  const match = /^([\d.]+)([kM]?)$/.exec(text);
  if (!match) throw new RangeError(`--samples must be a number as in 500k or 10.8M, got ${text}`);
  return Math.round(Number(match[1]) * { '': 1, k: 1e3, M: 1e6 }[match[2] as '' | 'k' | 'M']);
}

report('samples', `${TOTAL}, of ${SERIES} series`);
const cpu = await ingestColumnar('store.db', 5000);
report('store, thousand samples per CPU-second, batches of 5,000', String(perSecond(TOTAL, cpu)));
const small = await ingestColumnar('small.db', 500);
report('store, thousand samples per CPU-second, batches of 500', String(perSecond(TOTAL, small)));
const opened = await open('store.db', { now: () => START + 2 * DAY });
const { bytes } = await opened.store.health();
report('whole file after sealing, bytes per sample', (bytes / TOTAL).toFixed(2), '<= 1.8 at 10.8M');
const measured = await queries(opened);
report('summary of 24 h, all series', `${measured['summary'].toFixed(1)} ms`, 'grows < 3x from 1.8M to 10.8M');
report('one device, all its metrics, an hour by the minute', `${measured['minutes'].toFixed(2)} ms`);
report('latest of all series', `${measured['latest'].toFixed(2)} ms`, '<= 2 ms');
await opened.close();
await benchResend(cpu);
await benchStart();
await benchRandomFloats();
await benchEventLoop();
if (!options['no-baseline']) await benchBaseline(cpu, measured);

console.log('\n| figure | measured | bar |\n|---|---|---|');
for (const { figure, measured: value, bar } of figures) console.log(`| ${figure} | ${value} | ${bar} |`);
