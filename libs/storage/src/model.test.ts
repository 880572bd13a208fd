import { describe, expect, it } from '@jest/globals';
import type { Summary } from '@device-metrics/domain';
import fc from 'fast-check';
import { DAY, HOUR } from '@device-metrics/domain';
import { summarizeColumn } from './columnar/column.js';
import { dialects, type OpenStore } from './testing/dialects.js';
import { EVER, sample, summariesInParts, T0 } from './testing/test-store.js';

const RAW = 10 * DAY;
const HOURLY = 20 * DAY;

const isLong = process.env['DEVICE_METRICS_LONG'] !== undefined;
/** A database of its own for each run costs PostgreSQL more. */
const runsOf = (dialect: string): number => (isLong ? 1000 : 15) / (dialect === 'SQLite' ? 1 : 5);

/** Few devices, metrics, hours and times, so that samples meet. Values are quarters, whose sums are exact. */
const someSamples = fc.array(
  fc.record({
    device: fc.constantFrom('a', 'b'),
    metric: fc.constantFrom('x', 'y', 'z'),
    hour: fc.integer({ min: -30, max: 1 }),
    time: fc.constantFrom(0, 1, 1000, 1_800_000, 2_000_000, 3_599_999),
    value: fc.integer({ min: -400, max: 400 }).map((quarters) => quarters / 4),
  }),
  { minLength: 1, maxLength: 25 },
);
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ act: fc.constant('append' as const), samples: someSamples }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('resend' as const) }) },
  { weight: 2, arbitrary: fc.record({ act: fc.constant('wait' as const), hours: fc.integer({ min: 0, max: 40 }) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('age' as const), days: fc.integer({ min: 1, max: 15 }) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ act: fc.constant('seal' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('delete' as const),
      device: fc.constantFrom('a', 'b'),
      sealing: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      act: fc.constant('merge' as const),
      device: fc.constantFrom('a', 'b'),
      sealing: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('read' as const),
      from: fc.integer({ min: -40, max: 0 }),
      cut: fc.nat({ max: HOUR }),
    }),
  },
);

/** How many samples may be in heads: with few of them, hours become parts before they are over. */
const openSamples = fc.constantFrom(1 << 22, 1 << 22, 20, 0);

/** A plain map of samples: series → time → value. */
class Model {
  readonly series = new Map<string, Map<number, number>>();

  set(series: string, time: number, value: number): void {
    const samples = this.series.get(series) ?? new Map<number, number>();
    this.series.set(series, samples.set(time, value));
  }

  delete(device: string): void {
    for (const series of this.series.keys()) if (series.startsWith(`${device}/`)) this.series.delete(series);
  }

  /** Samples of the target stay; of hours before `rawFrom` there are only summaries, which are added up. */
  merge(source: string, target: string, rawFrom: number): void {
    for (const [series, samples] of [...this.series]) {
      if (!series.startsWith(`${source}/`)) continue;
      const into = series.replace(source, target);
      const known = new Map(this.series.get(into));
      for (const [time, value] of samples) {
        if (!known.has(time)) this.set(into, time, value);
        else if (time < rawFrom) this.set(into, time - 0.5, value);
      }
    }
    this.delete(source);
  }

  samples(from: number, to: number): Record<string, [number, number][]> {
    const found: Record<string, [number, number][]> = {};
    for (const [series, samples] of this.series) {
      const inside = [...samples].filter(([time]) => time >= from && time < to).sort(([a], [b]) => a - b);
      if (inside.length > 0) found[series] = inside;
    }
    return found;
  }
}

function grownIn(samples: readonly [number, number][]): number {
  return samples.slice(1).reduce((sum, [, value], index) => {
    const [, before] = samples[index];
    return sum + (value >= before ? value - before : value);
  }, 0);
}

function summaryOfSamples(samples: readonly [number, number][]): Summary {
  const times = samples.map(([time]) => time);
  const column = { times: new Uint32Array(times.length), values: Float64Array.from(samples, ([, value]) => value) };
  return { ...summarizeColumn(column, 0), firstTime: times[0], lastTime: times[times.length - 1] };
}

const AGGREGATES = ['count', 'min', 'max', 'sum', 'first', 'last'] as const;
/** What counters grew is read in a way of its own. */
const OF_GROWTH = [...AGGREGATES, 'firstTime', 'lastTime', 'grown'] as const;

/** What the samples of one series come to in steps from `start` on: the starts, and the columns of all aggregates. */
function stepsOfSamples(samples: readonly [number, number][], start: number, step: number): number[][] {
  const byStep = new Map<number, [number, number][]>();
  for (const [time, value] of samples) {
    const at = start + Math.floor((time - start) / step) * step;
    byStep.set(at, [...(byStep.get(at) ?? []), [time, value]]);
  }
  const summaries = Array.from(byStep.values(), (some) => ({ ...summaryOfSamples(some), grown: grownIn(some) }));
  return [[...byStep.keys()], ...OF_GROWTH.map((name) => summaries.map((summary) => summary[name]))];
}

const STEPS = [60_000, HOUR, 5 * HOUR, 1_234_567];

class Pair {
  private readonly model = new Model();
  private last: ReturnType<typeof sample>[] = [];
  /** Where samples for a name go that no device has. */
  private readonly aliases = new Map<string, string>();

  constructor(private readonly real: OpenStore) {}

  async append(samples: ReturnType<typeof sample>[]): Promise<void> {
    const oldest = this.real.store.oldestTimestamp();
    this.last = samples.filter(({ timestamp }) => timestamp >= oldest);
    await this.real.store.append(this.last);
    for (const { deviceName, metricName, timestamp, value } of this.last) {
      this.model.set(`${this.aliases.get(deviceName) ?? deviceName}/${metricName}`, timestamp, value);
    }
  }

  resend(): Promise<void> {
    return this.append(this.last);
  }

  /** @param sealing whether hours are being sealed meanwhile. */
  async delete(device: string, sealing: boolean): Promise<void> {
    const maintenance = sealing ? this.real.store.maintain() : undefined;
    if (sealing) await new Promise(setImmediate);
    await this.real.store.deleteDevice(device);
    await maintenance;
    this.model.delete(device);
    this.last = this.last.filter(({ deviceName }) => (this.aliases.get(deviceName) ?? deviceName) !== device);
    for (const [name, target] of this.aliases) if (target === device) this.aliases.delete(name);
    const known = new Set((await this.real.store.devices()).map(({ name }) => name));
    expect(known.has(device)).toBe(false);
  }

  /** @param sealing whether hours are being sealed meanwhile. */
  async merge(source: string, target: string, sealing: boolean): Promise<void> {
    const { store, now } = this.real;
    const maintenance = sealing ? store.maintain() : undefined;
    if (sealing) await new Promise(setImmediate);
    const merged = await store.mergeDevices(source, target, (_, description) => description);
    await maintenance;
    if (!merged) return;
    this.model.merge(source, target, Math.floor((now - RAW) / HOUR) * HOUR);
    this.aliases.set(source, target);
    expect(merged.formerNames).toContain(source);
  }

  /** Samples as they are within the raw retention, summaries of whole hours within the hourly one, nothing before. */
  async compare(from: number, to: number): Promise<void> {
    const { store, now } = this.real;
    const rawFrom = Math.max(from, Math.floor((now - RAW) / HOUR) * HOUR);
    const expected = this.model.samples(rawFrom, to);
    expect(await this.real.stored({}, { start: rawFrom, end: to })).toEqual(expected);

    const all = await store.findSeries({});
    const name = ({ deviceName, metricName }: { deviceName: string; metricName: string }): string =>
      `${deviceName}/${metricName}`;
    const summaries = await store.summarize(all, { start: rawFrom, end: to });
    expect(await summariesInParts(store, all, { start: rawFrom, end: to })).toEqual(summaries);
    expect(Object.fromEntries(summaries.map(({ series, summary }) => [name(series), summary]))).toEqual(
      Object.fromEntries(Object.entries(expected).map(([key, samples]) => [key, summaryOfSamples(samples)])),
    );
    for (const step of STEPS) {
      const steps = Object.entries(expected).map(([key, samples]) => [key, stepsOfSamples(samples, rawFrom, step)]);
      for (const aggregates of [AGGREGATES, OF_GROWTH]) {
        const found: Record<string, unknown> = {};
        const query = { range: { start: rawFrom, end: to }, step, aggregates };
        for await (const { series, starts, columns } of store.readSteps(all, query)) {
          found[name(series)] = [starts, ...columns].map((column) => [...column]);
        }
        const asked = steps.map(([key, columns]) => [key, columns.slice(0, 1 + aggregates.length)]);
        expect(found).toEqual(Object.fromEntries(asked));
      }
    }
    await this.compareOldHours();
    await this.compareLatest();
  }

  private async compareOldHours(): Promise<void> {
    const { store, now } = this.real;
    const start = Math.floor((now - HOURLY) / HOUR + 1) * HOUR;
    const expected = this.model.samples(start, EVER.end);
    const summaries = await store.summarize(await store.findSeries({}), { start, end: EVER.end });
    expect(summaries.map(({ summary }) => summary.count).sort()).toEqual(
      Object.values(expected)
        .map(({ length }) => length)
        .sort(),
    );
  }

  private async compareLatest(): Promise<void> {
    const { store, now } = this.real;
    const oldest = Math.floor((now - HOURLY) / HOUR) * HOUR;
    const latest = await store.latest(await store.findSeries({}));
    expect(
      Object.fromEntries(
        latest.map(({ series, timestamp, value }) => [`${series.deviceName}/${series.metricName}`, [timestamp, value]]),
      ),
    ).toEqual(
      Object.fromEntries(
        Object.entries(this.model.samples(oldest, EVER.end)).map(([key, samples]) => [key, samples.at(-1)]),
      ),
    );
  }
}

describe.each(dialects)('the store on $name', (dialect) => {
  it('does whatever a plain map of samples does', async () => {
    await fc.assert(
      fc.asyncProperty(openSamples, fc.array(command, { maxLength: 30 }), async (maxOpenSamples, commands) => {
        const real = await dialect.open({ rawRetention: RAW, hourlyRetention: HOURLY, maxOpenSamples });
        real.now = T0 + HOUR;
        const pair = new Pair(real);
        try {
          for (const next of commands) {
            const hourNow = Math.floor(real.now / HOUR);
            if (next.act === 'append') {
              await pair.append(
                next.samples.map(({ device, metric, hour, time, value }) =>
                  sample((hourNow + hour) * HOUR + time, value, device, metric),
                ),
              );
            } else if (next.act === 'resend') {
              await pair.resend();
            } else if (next.act === 'wait') {
              real.now += next.hours * HOUR;
              await real.store.maintain();
            } else if (next.act === 'seal') {
              await real.store.maintain();
            } else if (next.act === 'age') {
              real.now += next.days * DAY;
              await real.store.maintain();
            } else if (next.act === 'restart') {
              await real.reopen();
            } else if (next.act === 'delete') {
              await pair.delete(next.device, next.sealing);
            } else if (next.act === 'merge') {
              await pair.merge(next.device, next.device === 'a' ? 'b' : 'a', next.sealing);
            } else {
              await pair.compare(real.now + next.from * HOUR - next.cut, real.now + HOUR - next.cut);
            }
          }
          await pair.compare(0, EVER.end);
          expect(await real.store.health()).toMatchObject({ damaged: 0 });
        } finally {
          await real.close();
        }
      }),
      { numRuns: runsOf(dialect.name) },
    );
  });
});
