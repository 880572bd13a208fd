/**
 * What a fleet costs per sample: readings of 50 metrics every 10 s go straight into a store, first of 100 devices and then
 * of many, with as few open samples for each device as the many have; then the store is opened again with a full journal.
 *
 *     npm run bench:fleet                     1,000 devices for 6 minutes
 *     npm run bench:fleet -- --long           5,000 devices for an hour, 90 million samples
 */
import type { Sample } from '@device-metrics/domain';
import { dataSourceOptions, openSampleStore, type Store } from '@device-metrics/storage';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DataSource } from 'typeorm';
import { cpuSeconds, timed } from './measure.js';

const { values: options } = parseArgs({
  options: {
    devices: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '6' },
    long: { type: 'boolean', default: false },
  },
});
const DEVICES = options.long ? 5000 : Number(options.devices);
const MINUTES = options.long ? 60 : Number(options.minutes);
const FEW = 100;
const METRICS = 50;
const INTERVAL = 10_000;
/** Readings of so many devices come in one call: 5,000 samples. */
const TOGETHER = 100;
/** What the store keeps open by default, and so each of the devices a share of it. */
const OPEN_SAMPLES = 1 << 22;
const START = Date.UTC(2026, 0, 15, 10);
const RANGE = { start: START - 3_600_000, end: START + 24 * 3_600_000 };

const names = Array.from({ length: METRICS }, (_, metric) => `gauge_${metric}`);
const folder = await mkdtemp(join(tmpdir(), 'bench-fleet-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const say = (figure: string, measured: string, bar = ''): void => {
  console.log(`${figure.padEnd(64)} ${measured.padStart(14)} ${bar}`);
};

interface Opened {
  readonly store: Store;
  now: number;
  close(): Promise<void>;
}

async function open(name: string, maxOpenSamples: number): Promise<Opened> {
  const dataSource = await new DataSource(dataSourceOptions(join(folder, name))).initialize();
  const clock = { now: START };
  const store = await openSampleStore(dataSource, {
    now: () => clock.now,
    rawRetention: 0,
    hourlyRetention: 0,
    maxOpenSamples,
  });
  return Object.assign(clock, {
    store,
    close: async () => {
      await store.close();
      await dataSource.destroy();
    },
  });
}

function readings(from: number, to: number, tick: number): Sample[] {
  const samples: Sample[] = [];
  const timestamp = START + tick * INTERVAL;
  for (let device = from; device < to; device += 1) {
    for (let metric = 0; metric < METRICS; metric += 1) {
      const value = metric % 3 === 0 ? metric : Math.round(2000 + 100 * Math.sin(tick / 30 + metric + device)) / 100;
      const metricName = names[metric];
      samples.push({ deviceName: `pc-${device}`, metricName, unit: undefined, labels: {}, timestamp, value });
    }
  }
  return samples;
}

/** Sends what devices have in the minutes; gives the CPU-seconds per million samples of each third, and the most memory. */
async function send(opened: Opened, devices: number, minutes: number): Promise<{ cpu: number[]; rss: number }> {
  const ticks = minutes * (60_000 / INTERVAL);
  const cpu: number[] = [];
  let rss = 0;
  for (let third = 0; third < 3; third += 1) {
    const [first, last] = [Math.floor((ticks * third) / 3), Math.floor((ticks * (third + 1)) / 3)];
    let used = 0;
    for (let tick = first; tick < last; tick += 1) {
      opened.now = START + tick * INTERVAL;
      for (let device = 0; device < devices; device += TOGETHER) {
        const samples = readings(device, Math.min(devices, device + TOGETHER), tick);
        const before = cpuSeconds();
        await opened.store.append(samples);
        used += cpuSeconds() - before;
      }
      rss = Math.max(rss, process.memoryUsage().rss / 2 ** 20);
    }
    cpu.push((used / ((last - first) * devices * METRICS)) * 1e6);
  }
  return { cpu, rss };
}

const few = await open('few.db', OPEN_SAMPLES);
const fewCosts = (await send(few, FEW, options.long ? 60 : 20)).cpu[2];
await few.close();

const share = Math.round((OPEN_SAMPLES * DEVICES) / 5000);
const many = await open('many.db', share);
const { cpu, rss } = await send(many, DEVICES, MINUTES);
const total = DEVICES * METRICS * MINUTES * (60_000 / INTERVAL);
const thirds = cpu.map((each) => each.toFixed(2)).join(' ');
say(`CPU-seconds per million samples, ${FEW} devices`, fewCosts.toFixed(2));
say(`… ${DEVICES} devices, each third of ${(total / 1e6).toFixed(1)} M`, thirds);
say('… the last third against few devices', `${(cpu[2] / fewCosts).toFixed(2)} ×`, '<= 1.3 ×');
say('memory, most, MB', rss.toFixed(0), '<= 500');

await many.close();
let again: Opened | undefined;
const started = await timed(async () => (again = await open('many.db', share)));
const { store } = again as unknown as Opened;
const { headSamples, series } = await store.health();
say(`start with ${series} series and ${headSamples} samples in the journal`, `${started.wall.toFixed(1)} s`, '<= 3 s');
const all = await store.findSeries({});
const one = await store.findSeries({ metrics: ['gauge_0'] });
const ofOne = await timed(() => store.summarize(one, RANGE));
say('summary of one metric of all devices', `${ofOne.wall.toFixed(2)} s`, '<= 0.5 s');
say(
  `summary of ${all.length} series`,
  `${(await timed(() => store.summarize(all, RANGE))).wall.toFixed(2)} s`,
  '<= 2.5 s',
);
say('latest of one metric', `${(await timed(() => store.latest(one))).wall.toFixed(2)} s`, '<= 0.1 s');
say(`${DEVICES} devices`, `${(await timed(() => store.devices())).wall.toFixed(2)} s`, '<= 0.15 s');
const fleet = again as unknown as Opened;
fleet.now = START + 24 * 3_600_000;
const merged = await timed(() => store.maintain());
const { bytes, freeBytes } = await store.health();
say('chunks of all parts, CPU-seconds per million samples', ((merged.cpu / total) * 1e6).toFixed(2));
say('bytes per sample after that', ((bytes - freeBytes) / total).toFixed(2), '<= 1.32');
await fleet.close();
