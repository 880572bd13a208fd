import 'reflect-metadata';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { NO_LIMIT } from '@device-metrics/query';
import { dataSourceOptions, openSampleStore, type Store } from '@device-metrics/storage';
import fc from 'fast-check';
import { DataSource } from 'typeorm';
import { DAY, HOUR, SECOND, type Sample } from '@device-metrics/domain';
import { DeviceRhythms } from '../devices/device-rhythms.js';
import { availability } from './availability/availability.js';
import { deviceReport } from './device-report/device-report.js';
import type { SummaryRowDto } from './summary/summary.dto.js';
import { summaryReport } from './summary/summary.js';

/** The clocks of Berlin go forward an hour on the first of these days and back on the second. */
const SUMMER_TIME = Date.UTC(2026, 2, 28, 12);
const WINTER_TIME = Date.UTC(2026, 9, 24, 12);

type Pair = [time: number, value: number];

/** A real store on a file of its own, whose clock the test sets. */
class World {
  now = 0;
  store!: Store;
  private dataSource!: DataSource;
  private folder = '';

  static async open(rawRetention: number): Promise<World> {
    const world = new World();
    world.folder = await mkdtemp(join(tmpdir(), 'aggregates-'));
    world.dataSource = await new DataSource(dataSourceOptions(join(world.folder, 'metrics.db'))).initialize();
    world.store = await openSampleStore(world.dataSource, {
      now: () => world.now,
      sealInterval: 0,
      rawRetention,
      hourlyRetention: 0,
    });
    return world;
  }

  /** The samples in pieces and in any order, with hours sealed in between. */
  async take(deviceName: string, metricName: string, pieces: Pair[][], labels = {}): Promise<void> {
    for (const piece of pieces) {
      await this.store.append(
        piece.map(([timestamp, value]) => ({ deviceName, metricName, unit: undefined, labels, timestamp, value })),
      );
      await this.store.maintain();
    }
  }

  async report(deviceName: string, query: object): Promise<Record<string, (number | null)[]>> {
    const { tables } = await deviceReport(this.store, deviceName, query, this.now, NO_LIMIT);
    const rows: Record<string, (number | null)[]> = {};
    for await (const { timestamps, columns } of tables) {
      for (let row = 0; row < timestamps.length; row += 1) {
        rows[timestamps[row] as number] = columns.map((column) => column[row] as number | null);
      }
    }
    return rows;
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.dataSource.destroy();
    await rm(this.folder, { recursive: true });
  }
}

/** Readings around a change of clocks, with gaps and values that fall, in pieces that come in any order. */
const readings = (start: number, days = 3): fc.Arbitrary<{ pieces: Pair[][]; sorted: Pair[] }> => {
  const pair = fc.tuple(
    fc.oneof(
      fc.integer({ min: 0, max: days * DAY }),
      fc.integer({ min: 0, max: days * 24 * 6 }).map((tens) => tens * 600 * SECOND),
    ),
    fc.integer({ min: 0, max: 4000 }).map((quarters) => quarters / 4),
  );
  return fc.array(fc.array(pair, { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 }).map((lists) => {
    const pieces = lists.map((list) => list.map(([time, value]): Pair => [start + time, value]));
    return { pieces, sorted: [...new Map(pieces.flat())].sort(([a], [b]) => a - b) };
  });
};

/** What a person would compute: of the samples of a step, and the one before it. */
const PLAIN: Record<string, (step: Pair[], before: Pair | undefined) => number | null> = {
  count: (step) => step.length,
  sum: (step) => step.reduce((sum, [, value]) => sum + value, 0),
  mean: (step) => step.reduce((sum, [, value]) => sum + value, 0) / step.length,
  min: (step) => Math.min(...step.map(([, value]) => value)),
  max: (step) => Math.max(...step.map(([, value]) => value)),
  first: (step) => step[0]?.[1] ?? null,
  last: (step) => step.at(-1)?.[1] ?? null,
  p90: (step) =>
    percentile(
      step.map(([, value]) => value),
      0.9,
    ),
  increase: (step, before) => growth(step, before)?.increase ?? null,
  rate: (step, before) => {
    const grown = growth(step, before);
    return grown ? grown.increase / grown.seconds : null;
  },
};

function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const [below = NaN, above = below] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return below + (above - below) * (at - Math.floor(at));
}

function growth(step: Pair[], before: Pair | undefined): { increase: number; seconds: number } | undefined {
  const all = before ? [before, ...step] : step;
  if (all.length < 2) return undefined;
  let increase = 0;
  for (const [index, [, value]] of all.slice(1).entries()) {
    const previous = all[index]?.[1] ?? 0;
    increase += value < previous ? value : value - previous;
  }
  return { increase, seconds: ((all.at(-1)?.[0] ?? 0) - (all[0]?.[0] ?? 0)) / 1000 };
}

/** The rows of all steps that have samples, for steps that `stepOf` names for each time. */
function plainRows(
  sorted: Pair[],
  stepOf: (time: number) => string,
  names: string[],
): Record<string, (number | null)[]> {
  const rows: Record<string, (number | null)[]> = {};
  for (const step of new Set(sorted.map(([time]) => stepOf(time)))) {
    const inside = sorted.filter(([time]) => stepOf(time) === step);
    const before = sorted.filter(([time]) => time < (inside[0]?.[0] ?? 0)).at(-1);
    rows[step] = names.map((name) => PLAIN[name]?.(inside, before) ?? null);
  }
  return rows;
}

/** Without the rows before the report, and those in which nothing can be said. */
function within(rows: Record<string, (number | null)[]>, from = -Infinity): Record<string, (number | null)[]> {
  const said = Object.entries(rows).filter(([, row]) => row.some((value) => value !== null));
  return Object.fromEntries(said.filter(([time]) => !(Number(time) < from)));
}

const clocks = new Map<string, Intl.DateTimeFormat>();

/** The local date and time, as a clock on the wall shows it. */
function wallClock(time: number, timeZone: string): string {
  const options = { timeZone, dateStyle: 'short', timeStyle: 'medium' } as const;
  const clock = clocks.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', options);
  clocks.set(timeZone, clock);
  return clock.format(time);
}

/** Rows as expected, but for what adding up in another order does to a last digit. */
function expectRows(got: Record<string, (number | null)[]>, expected: Record<string, (number | null)[]>): void {
  const close = (value: number | null): unknown => (value === null ? null : expect.closeTo(value, 6));
  expect(got).toEqual(Object.fromEntries(Object.entries(expected).map(([key, row]) => [key, row.map(close)])));
}

let world: World;
beforeEach(async () => {
  world = await World.open(0);
});
afterEach(() => world.close());

const starts = fc.constantFrom(SUMMER_TIME, WINTER_TIME);
const namesOf = fc.uniqueArray(fc.constantFrom(...Object.keys(PLAIN)), { minLength: 1 });
let devices = 0;
const newDevice = (): string => `pc-${(devices += 1)}`;

describe('every aggregate of a device report equals a plain computation over the samples,', () => {
  it('by spans of time', async () => {
    await fc.assert(
      fc.asyncProperty(
        starts.chain((start) => fc.tuple(fc.constant(start), readings(start))),
        fc.constantFrom('7s', '1m', '17m', '1h', '5h', '12h').map((step) => ({
          step,
          length: Number.parseInt(step) * { s: SECOND, m: 60 * SECOND, h: HOUR }[step.slice(-1) as 's' | 'm' | 'h'],
        })),
        namesOf,
        fc.tuple(fc.nat({ max: DAY }), fc.nat({ max: DAY })),
        async ([start, { pieces, sorted }], { step, length }, aggregation, [cutStart, cutEnd]) => {
          world.now = start + 3 * DAY;
          const device = newDevice();
          await world.take(device, 'm', pieces);
          const range = { start: start + cutStart, end: start + 3 * DAY - cutEnd };
          const from = Math.floor(range.start / length) * length;
          const to = Math.ceil(range.end / length) * length;
          if ((to - from) / length > 100_000) return;
          const query = { step, aggregation, start_time: String(range.start), end_time: String(range.end) };
          const stepOf = (time: number): string => String(Math.floor(time / length) * length);
          const until = sorted.filter(([time]) => time < to);
          const rows = plainRows(until, stepOf, aggregation);
          expectRows(await world.report(device, query), within(rows, from));
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 200 : 8 },
    );
  });

  it.each(['Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe'])('by days of %s', async (timezone) => {
    await fc.assert(
      fc.asyncProperty(
        starts.chain((start) => fc.tuple(fc.constant(start), readings(start))),
        namesOf,
        async ([start, { pieces, sorted }], aggregation) => {
          world.now = start + 3 * DAY;
          const device = newDevice();
          await world.take(device, 'm', pieces);
          const query = {
            step: '1d',
            timezone,
            aggregation,
            start_time: String(start),
            end_time: String(start + 3 * DAY),
          };
          const got = await world.report(device, query);
          for (const time of Object.keys(got)) expect(wallClock(Number(time), timezone)).toMatch(/ 00:00:00$/);
          const byDate = Object.fromEntries(
            Object.entries(got).map(([time, row]) => [wallClock(Number(time), timezone).slice(0, 10), row]),
          );
          const stepOf = (time: number): string => wallClock(time, timezone).slice(0, 10);
          expectRows(byDate, within(plainRows(sorted, stepOf, aggregation)));
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 100 : 5 },
    );
  });
});

describe('by the calendar and the clock of a zone,', () => {
  const mondayOf = (date: string): string => {
    const day = new Date(`${date}T00:00:00Z`);
    return new Date(day.getTime() - ((day.getUTCDay() + 6) % 7) * DAY).toISOString().slice(0, 10);
  };
  /** The step of a time on the wall. */
  const STEPS: Record<string, (wall: string) => string> = {
    '1w': (wall) => mondayOf(wall.slice(0, 10)),
    '1mo': (wall) => `${wall.slice(0, 7)}-01`,
    '3mo': (wall) =>
      `${wall.slice(0, 5)}${String(3 * Math.floor((Number(wall.slice(5, 7)) - 1) / 3) + 1).padStart(2, '0')}-01`,
    '1y': (wall) => `${wall.slice(0, 4)}-01-01`,
    '12h': (wall) => `${wall.slice(0, 11)}${Number(wall.slice(11, 13)) < 12 ? '00' : '12'}`,
    '6h': (wall) => `${wall.slice(0, 11)}${String(6 * Math.floor(Number(wall.slice(11, 13)) / 6)).padStart(2, '0')}`,
  };

  it.each(['UTC', 'Europe/Berlin', 'Asia/Kathmandu'])('every aggregate is right: %s', async (timezone) => {
    await fc.assert(
      fc.asyncProperty(
        starts.chain((start) => fc.tuple(fc.constant(start), readings(start, 80))),
        fc.constantFrom(...Object.keys(STEPS)),
        namesOf,
        fc.nat({ max: 60 * DAY }),
        async ([start, { pieces, sorted }], step, aggregation, cut) => {
          world.now = start + 79 * DAY;
          const device = newDevice();
          await world.take(device, 'm', pieces);
          const query = {
            step,
            timezone,
            aggregation,
            start_time: String(start + cut),
            end_time: String(start + 80 * DAY + 1),
          };
          const got = await world.report(device, query);
          const stepOf = (time: number): string => (STEPS[step] as (wall: string) => string)(wallClock(time, timezone));
          const bySteps = Object.fromEntries(Object.entries(got).map(([time, row]) => [stepOf(Number(time)), row]));
          // A step begins on the wall where its name says.
          for (const time of Object.keys(got)) {
            expect(wallClock(Number(time), timezone).slice(0, stepOf(Number(time)).length)).toBe(stepOf(Number(time)));
            expect(wallClock(Number(time), timezone)).toMatch(/ (00|06|12|18):00:00$/);
          }
          const first = stepOf(start + cut);
          const rows = plainRows(sorted, stepOf, aggregation);
          const asked = Object.fromEntries(Object.entries(rows).filter(([key]) => key >= first));
          expectRows(bySteps, within(asked));
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 15 : 6 },
    );
  });
});

it('what the days of a counter grew adds up to what its month grew, however rarely it is read', async () => {
  await fc.assert(
    fc.asyncProperty(readings(Date.UTC(2026, 9, 20), 50), async ({ pieces }) => {
      world.now = Date.UTC(2026, 11, 9);
      const device = newDevice();
      await world.take(device, 'm', pieces);
      const month = {
        start_time: '2026-11-01',
        end_time: '2026-12-01',
        timezone: 'Europe/Berlin',
        aggregation: ['increase'],
      };
      const sum = (rows: Record<string, (number | null)[]>): number =>
        Object.values(rows).reduce((total, [grown]) => total + (grown ?? 0), 0);
      const monthly = sum(await world.report(device, { ...month, step: '1mo' }));
      expect(sum(await world.report(device, { ...month, step: '1d' }))).toBeCloseTo(monthly, 6);
      let daily = 0;
      for (let day = 1; day <= 30; day += 1) {
        const date = (number: number): string => new Date(Date.UTC(2026, 10, number)).toISOString().slice(0, 10);
        daily += sum(
          await world.report(device, { ...month, step: '1d', start_time: date(day), end_time: date(day + 1) }),
        );
      }
      expect(daily).toBeCloseTo(monthly, 6);
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 8 : 4 },
  );
});

it('an empty step is filled with what was last known, and with nothing that would count twice', async () => {
  const names = ['last', 'mean', 'count', 'sum', 'increase', 'rate'];
  await fc.assert(
    fc.asyncProperty(readings(WINTER_TIME), fc.nat({ max: 2 * DAY }), async ({ pieces, sorted }, cut) => {
      world.now = WINTER_TIME + 3 * DAY;
      const device = newDevice();
      await world.take(device, 'm', pieces);
      const [start, end] = [WINTER_TIME + cut, WINTER_TIME + 3 * DAY];
      const query = {
        step: '1h',
        aggregation: names,
        fill: 'previous',
        start_time: String(start),
        end_time: String(end),
      };
      const got = await world.report(device, query);
      const expected: Record<string, (number | null)[]> = {};
      let mean: number | null = null;
      for (let step = Math.floor(start / HOUR) * HOUR; step < end; step += HOUR) {
        const inside = sorted.filter(([time]) => time >= step && time < step + HOUR);
        const before = sorted.filter(([time]) => time < step).at(-1);
        if (inside.length > 0) mean = PLAIN['mean']?.(inside, before) ?? null;
        expected[step] = [
          inside.at(-1)?.[1] ?? before?.[1] ?? null,
          mean,
          inside.length,
          inside.reduce((total, [, value]) => total + value, 0),
          inside.length > 0 ? (PLAIN['increase']?.(inside, before) ?? null) : null,
          inside.length > 0 ? (PLAIN['rate']?.(inside, before) ?? null) : null,
        ];
      }
      // A series without a sample up to the end is not there.
      if (sorted.some(([time]) => time < end)) expectRows(got, expected);
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 100 : 5 },
  );
});

it('every row of a summary equals a plain computation over the samples of its group', async () => {
  const names = ['p0', 'p50', 'p90', 'p100'];
  await fc.assert(
    fc.asyncProperty(
      readings(WINTER_TIME),
      readings(WINTER_TIME),
      readings(WINTER_TIME),
      fc.constantFrom(['device'], ['metric'], ['device', 'label'], ['label:cpu'], ['tag:room']),
      fc.tuple(fc.nat({ max: DAY }), fc.nat({ max: DAY })),
      async (one, two, other, group_by, [cutStart, cutEnd]) => {
        world.now = WINTER_TIME + 2 * DAY;
        const [a, b] = [newDevice(), newDevice()];
        await world.take(a, 'm', one.pieces, { cpu: '0' });
        await world.take(a, 'm', two.pieces, { cpu: '1' });
        await world.take(b, 'm', other.pieces, { cpu: '0' });
        await world.store.describeDevice(b, () => ({ tags: { room: 'lab' } }));
        const [start, end] = [WINTER_TIME + cutStart, WINTER_TIME + 3 * DAY - cutEnd];
        const inside = ({ sorted }: { sorted: Pair[] }): Pair[] =>
          sorted.filter(([time]) => time >= start && time < end);
        const groups = {
          device: { [a]: [one, two], [b]: [other] },
          metric: { '': [one, two, other] },
          'device,label': { [`${a}0`]: [one], [`${a}1`]: [two], [`${b}0`]: [other] },
          'label:cpu': { 0: [one, other], 1: [two] },
          'tag:room': { '': [one, two], lab: [other] },
        }[group_by.join(',')] as Record<string, { sorted: Pair[] }[]>;
        const expected = Object.entries(groups).flatMap(([key, parts]) => {
          const pairs = parts.flatMap(inside).sort(([x], [y]) => x - y);
          const values = pairs.map(([, value]) => value);
          if (pairs.length === 0) return [];
          const numbers = ['count', 'min', 'max', 'mean'].map((name) => PLAIN[name]?.(pairs, undefined));
          return [[key, ...numbers, ...names.map((name) => percentile(values, Number(name.slice(1)) / 100))]];
        });

        const query = {
          device_name: [a, b],
          group_by: [...group_by],
          quantile: names,
          start_time: String(start),
          end_time: String(end),
        };
        const rhythms = new DeviceRhythms(world.store);
        const { rows } = await summaryReport(world.store, rhythms, query, world.now, NO_LIMIT);
        const got = rows.map(({ device_name = '', labels, tags, count, min, max, mean, quantiles }) => [
          `${device_name}${labels?.['cpu'] ?? ''}${tags?.['room'] ?? ''}`,
          ...[count, min, max, mean],
          ...names.map((name) => quantiles?.[name]),
        ]);
        const close = (row: unknown[]): unknown[] =>
          row.map((value) => (typeof value === 'number' ? expect.closeTo(value, 6) : value));
        expect(Object.fromEntries(got.map((row) => [row[0], row]))).toEqual(
          Object.fromEntries(expected.map((row) => [row[0], close(row)])),
        );
      },
    ),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 100 : 5 },
  );
});

it('rows that are added up device by device, whole or in pages, equal those made of all series at once', async () => {
  const now = WINTER_TIME + HOUR;
  world.now = now;
  const samples = Array.from({ length: 40 }, (_, device) => {
    const of = (metricName: string, labels: Record<string, string>, value: number, unit?: string): object[] =>
      Array.from({ length: 4 }, (__, turn) => ({
        ...{ deviceName: `many-${device}`, metricName, labels, unit },
        ...{ timestamp: now - 240_000 + turn * 60_000 + device, value: value * (1 + turn) },
      }));
    return [
      ...Array.from({ length: 30 }, (__, metric) => of(`many.${metric}`, {}, device + metric / 10)).flat(),
      ...of('load', { cpu: '0' }, device / 3, device % 3 === 0 ? '1' : '%'),
      ...of('load', { cpu: '1' }, device / 7),
      ...(device % 2 === 0 ? of('system.cpu.time', { 'cpu.mode': 'user' }, device, 's') : []),
      ...(device % 4 === 0 ? of('system.cpu.time', { 'cpu.mode': 'idle' }, 2 * device, 's') : []),
      ...of('system.memory.usage', { 'system.memory.state': 'used' }, device + 1, 'By'),
      ...(device % 5 > 0 ? of('system.memory.usage', { 'system.memory.state': 'free' }, 9, 'By') : []),
      ...of('system.network.io', { 'network.io.direction': 'receive' }, device, 'By'),
    ];
  }).flat() as Sample[];
  await world.store.append(samples);
  for (let device = 0; device < 40; device += 3) {
    await world.store.describeDevice(`many-${device}`, () => ({ tags: { room: `r${device % 2}` } }));
  }
  const rhythms = new DeviceRhythms(world.store);
  for (const group_by of [['metric'], ['label:cpu', 'tag:room']]) {
    for (const more of [{}, { offset: '1d' }, { metric_name: ['system.*', 'load', 'many.1'] }]) {
      const query = { device_name: ['many-*'], time_range: '1', group_by, ...more };
      const { rows, devices, basis } = await summaryReport(world.store, rhythms, query, now, NO_LIMIT);
      // Quantiles need all series.
      const atOnce = { ...query, quantile: ['p50'] };
      const other = await summaryReport(world.store, rhythms, atOnce, now, NO_LIMIT);
      const same = other.rows.map(({ quantiles: _, ...row }) => row);
      expect({ rows, devices, basis }).toEqual({ rows: same, devices: other.devices, basis: other.basis });
      const paged: SummaryRowDto[] = [];
      for (let cursor: string | undefined, isFirst = true; isFirst || cursor; isFirst = false) {
        const part = { ...query, limit: '200', ...(cursor && { cursor }) };
        const page = await summaryReport(world.store, rhythms, part, now, NO_LIMIT);
        paged.push(...page.rows);
        cursor = page.nextCursor;
      }
      expect(paged).toEqual(rows);
      expect(new Set(rows.map(({ as }) => as)).size).toBeGreaterThan(1);
      expect(devices).toHaveLength(40);
      const some = await summaryReport(world.store, rhythms, { ...query, sort: '-max', limit: '2' }, now, NO_LIMIT);
      const largest = Math.max(...rows.map(({ max }) => max ?? -Infinity));
      expect(some.rows[0]?.max).toBe(largest);
    }
  }
});

describe('the period before', () => {
  /** The moments at which a clock on the wall of a zone shows a time: none or two of them where clocks change. */
  function momentsOf(wall: string, timeZone: string): number[] {
    const asUtc = Date.parse(`${wall.replace(' ', 'T')}Z`);
    const quarters = Array.from({ length: 2 * 15 * 4 }, (_, index) => asUtc + (index - 60) * 900 * SECOND);
    return quarters.filter((time) => wallClock(time, timeZone) === wall);
  }

  /** The same time on the wall so many months and days earlier. */
  function wallBefore(wall: string, months: number, days: number): string {
    const [year = 0, month = 0, day = 0] = wall.slice(0, 10).split('-').map(Number);
    const lastDay = new Date(Date.UTC(year, month - months, 0)).getUTCDate();
    const date = new Date(Date.UTC(year, month - 1 - months, Math.min(day, lastDay) - days));
    return `${date.toISOString().slice(0, 10)}${wall.slice(10)}`;
  }

  const offsets = fc.oneof(
    fc.integer({ min: 1, max: 40 }).map((days) => ({ offset: `${days}d`, months: 0, days, ms: 0 })),
    fc.integer({ min: 1, max: 5 }).map((weeks) => ({ offset: `${weeks}w`, months: 0, days: 7 * weeks, ms: 0 })),
    fc.integer({ min: 1, max: 2 }).map((months) => ({ offset: `${months}mo`, months, days: 0, ms: 0 })),
    fc.integer({ min: 1, max: 23 }).map((hours) => ({ offset: `${hours}h`, months: 0, days: 0, ms: hours * HOUR })),
    fc
      .integer({ min: 1, max: 90 })
      .map((count) => ({ offset: `${count}m`, months: 0, days: 0, ms: count * 60 * SECOND })),
  );

  it('is the same time on the wall, and each number of it equals a plain computation', async () => {
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        starts.chain((start) => fc.tuple(fc.constant(start), readings(start, 80))),
        offsets,
        fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Australia/Lord_Howe'),
        fc.tuple(fc.integer({ min: 0, max: 79 * 96 }), fc.integer({ min: 1, max: 20 * 96 })),
        async ([start, { pieces, sorted }], { offset, months, days, ms }, timezone, [from, length]) => {
          world.now = start + 79 * DAY;
          const device = newDevice();
          await world.take(device, 'm', pieces);
          const range = [from, from + length].map((quarters) => start + quarters * 900 * SECOND);
          const before = range.map((time) =>
            ms > 0 ? [time - ms] : momentsOf(wallBefore(wallClock(time, timezone), months, days), timezone),
          );
          // Where clocks change a time on the wall has no moment, or two.
          fc.pre(before.every((moments) => moments.length === 1));
          const meanOf = ([first = NaN, end = NaN]: number[]): number | null => {
            const inside = sorted.filter(([time]) => time >= first && time < end);
            return inside.length === 0 ? null : (PLAIN['mean']?.(inside, undefined) ?? null);
          };
          const [now, then] = [meanOf(range), meanOf(before.flat())];
          const query = {
            device_name: [device],
            ...{ offset, timezone, start_time: String(range[0]), end_time: String(range[1]) },
          };
          const rhythms = new DeviceRhythms(world.store);
          const { rows, before: found } = await summaryReport(world.store, rhythms, query, world.now, NO_LIMIT);
          expect([found?.start, found?.end]).toEqual(before.flat());
          if (now === null) return expect(rows).toEqual([]);
          const difference = then === null ? null : now - then;
          const percent = difference === null || !then ? null : (difference / then) * 100;
          const close = (value: number | null): unknown => (value === null ? null : expect.closeTo(value, 6));
          expect(rows).toMatchObject([
            { mean: close(now), before: close(then), difference: close(difference), percent: close(percent) },
          ]);
          if (then !== null) compared += 1;
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 200 : 8 },
    );
    // Of a few runs none may have readings in both of its ranges.
    if (process.env['DEVICE_METRICS_LONG']) expect(compared).toBeGreaterThan(50);
  });
});

it('availability equals a plain computation over the times of readings, whatever was silent when', async () => {
  const MINUTE = 60 * SECOND;
  /** Minutes of two days in which a series is not read; silences of at least four are seen. */
  const outages = fc.array(fc.tuple(fc.integer({ min: 40, max: 2800 }), fc.integer({ min: 4, max: 300 })), {
    maxLength: 4,
  });
  await fc.assert(
    fc.asyncProperty(outages, outages, fc.nat({ max: 600 }), async (one, two, cut) => {
      const start = WINTER_TIME;
      world.now = start + 2 * DAY;
      const device = newDevice();
      const readMinutes = (gone: [number, number][]): number[] =>
        Array.from({ length: 2880 }, (_, minute) => minute).filter(
          (minute) => !gone.some(([from, length]) => minute >= from && minute < from + length),
        );
      const [a, b] = [readMinutes(one), readMinutes(two)];
      const pairs = (minutes: number[]): Pair[] => minutes.map((minute) => [start + minute * MINUTE, minute]);
      await world.take(device, 'a', [pairs(a)]);
      await world.take(device, 'b', [pairs(b)]);
      const query = { device_name: [device], start_time: String(start + cut * MINUTE), timezone: 'Europe/Berlin' };
      const { answer } = await availability(world.store, query, world.now, NO_LIMIT);

      // Silent is a minute that lies in a long gap of both.
      const silentMinutes = (minutes: number[]): Set<number> => {
        const silent = new Set<number>();
        for (const [index, minute] of [...minutes, 2880].entries()) {
          const before = minutes[index - 1] ?? 0;
          if (minute - before > 3) for (let at = before; at < minute; at += 1) silent.add(at);
        }
        return silent;
      };
      const [silentA, silentB] = [silentMinutes(a), silentMinutes(b)];
      const silent = Array.from({ length: 2880 }, (_, minute) => minute).filter(
        (minute) => minute >= cut && silentA.has(minute) && silentB.has(minute),
      );
      expect(answer.totals).toMatchObject([{ device_name: device, watched: (2880 - cut) * MINUTE }]);
      expect((answer.totals[0]?.silent ?? NaN) / MINUTE).toBeCloseTo(silent.length, 6);
      const months = answer.months.reduce((sum, month) => sum + month.silent, 0);
      expect(months).toBe(answer.totals[0]?.silent);
      for (const { start_time, end_time } of answer.silences) {
        expect((Date.parse(start_time) - start) % MINUTE).toBe(0);
        if (end_time === undefined) expect(silent).toContain(2879);
      }
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 15 : 6 },
  );
});

it('however short the range and rare the readings, a device is silent only where some of them are missing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(10 * SECOND, 60 * SECOND, HOUR, 6 * HOUR, DAY, 7 * DAY),
      fc.integer({ min: 4, max: 12 }),
      fc.tuple(fc.double({ min: 12, max: 40, noNaN: true }), fc.double({ min: 0.2, max: 6, noNaN: true })),
      async (rhythm, missed, [from, length]) => {
        const start = WINTER_TIME - 52 * rhythm;
        world.now = WINTER_TIME + 1;
        const device = newDevice();
        // Readings 20 to 20 + missed are not there.
        const pairs = Array.from({ length: 52 }, (_, index): Pair => [start + index * rhythm, index]);
        const there = pairs.filter(([, index]) => index <= 20 || index > 20 + missed);
        await world.take(device, 'meter', [there]);
        const range = { start: Math.round(start + from * rhythm), end: Math.round(start + (from + length) * rhythm) };
        const query = { device_name: [device], start_time: String(range.start), end_time: String(range.end) };
        const { answer } = await availability(world.store, query, world.now, NO_LIMIT);
        const gone = { start: start + 20 * rhythm, end: start + (21 + missed) * rhythm };
        const silent = Math.max(0, Math.min(gone.end, range.end) - Math.max(gone.start, range.start));
        expect(answer.totals).toMatchObject([{ watched: range.end - range.start }]);
        // Of a range that ends a millisecond behind a reading nobody knows more.
        expect(Math.abs((answer.totals[0]?.silent ?? NaN) - silent)).toBeLessThanOrEqual(1);
      },
    ),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 200 : 10 },
  );
});

describe('what has passed its retention', () => {
  it('says where edges of days have moved: in zones of half hours, not in those of whole ones', async () => {
    await world.close();
    world = await World.open(2 * DAY);
    world.now = SUMMER_TIME + DAY;
    const device = newDevice();
    // A counter that grows by 6 an hour, half of it in each half.
    const pairs = Array.from({ length: 48 }, (_, half): Pair => [SUMMER_TIME + half * 1800 * SECOND, 3 * half]);
    await world.take(device, 'm', [pairs]);
    world.now = SUMMER_TIME + 10 * DAY;
    await world.store.maintain();
    const plain = { step: '1d', start_time: String(SUMMER_TIME), end_time: String(SUMMER_TIME + DAY) };
    const aggregation = ['increase', 'rate'];
    for (const [timezone, moved] of [
      ['Asia/Kolkata', true],
      ['Asia/Kathmandu', true],
      ['Europe/Berlin', false],
      ['UTC', false],
    ] as const) {
      const { plan, tables } = await deviceReport(
        world.store,
        device,
        { ...plain, timezone, aggregation },
        world.now,
        NO_LIMIT,
      );
      expect([timezone, plan.edgesMoved]).toEqual([timezone, moved]);
      let grown = 0;
      for await (const { columns } of tables) {
        for (const increase of Array.from(columns[0] ?? [])) grown += increase ?? 0;
        // 6 an hour are 1/600 a second, whatever hours a day has got.
        for (const rate of Array.from(columns[1] ?? [])) if (rate !== null) expect(rate).toBeCloseTo(1 / 600, 9);
      }
      expect(grown).toBe(3 * 47);
    }
  });

  /** A counter every 10 minutes that starts again now and then, at most once in an hour. */
  const counter = fc
    .array(fc.tuple(fc.nat({ max: 5 }), fc.integer({ min: 1, max: 100 })), { minLength: 30, maxLength: 30 })
    .map((hours) => {
      let value = 1000;
      return hours.flatMap(([reset, growth], hour) =>
        [0, 1, 2, 3, 4, 5].map((ten): Pair => {
          // It had more before it started again than it gets in the hour after that.
          value = reset === ten && hour % 7 === 3 ? growth : value + growth;
          return [SUMMER_TIME + hour * HOUR + ten * 600_000, value];
        }),
      );
    });

  it('comes as hourly values: exact but for percentiles', async () => {
    await world.close();
    world = await World.open(2 * DAY);
    const names = ['count', 'sum', 'mean', 'min', 'max', 'first', 'last', 'increase', 'rate', 'p90'];
    await fc.assert(
      fc.asyncProperty(counter, async (pairs) => {
        world.now = SUMMER_TIME + DAY;
        const device = newDevice();
        await world.take(device, 'm', [pairs]);
        // The first 20 hours have passed it by then.
        world.now = SUMMER_TIME + 20 * HOUR + 2 * DAY;
        await world.store.maintain();

        const end = SUMMER_TIME + 30 * HOUR;
        const query = { step: '5h', aggregation: names, start_time: String(SUMMER_TIME), end_time: String(end) };
        const length = 5 * HOUR;
        const stepOf = (time: number): string => String(Math.floor(time / length) * length);
        const expected = plainRows(pairs, stepOf, names);
        for (const [time, row] of Object.entries(expected)) {
          if (Number(time) + length > SUMMER_TIME + 20 * HOUR) continue;
          row[names.indexOf('p90')] = null;
        }
        const got = await world.report(device, query);
        // The step at the border has samples of some of its hours.
        const border = stepOf(SUMMER_TIME + 20 * HOUR - 1);
        for (const rows of [got, expected]) rows[border]?.splice(names.indexOf('p90'), 1);
        expectRows(got, expected);

        const raw = await world.report(device, { start_time: String(SUMMER_TIME), end_time: String(end) });
        const means = plainRows(pairs, (time) => String(Math.floor(time / HOUR) * HOUR), ['mean']);
        for (const [time, value] of pairs) if (time >= SUMMER_TIME + 20 * HOUR) means[time] = [value];
        for (let hour = 20; hour < 30; hour += 1) {
          const time = SUMMER_TIME + hour * HOUR;
          means[time] = [pairs.find(([at]) => at === time)?.[1] ?? null];
        }
        expectRows(raw, means);
        const {
          plan: { hourlyUntil },
        } = await deviceReport(world.store, device, { start_time: '-10d' }, world.now, NO_LIMIT);
        expect(hourlyUntil).toBe(SUMMER_TIME + 20 * HOUR);
      }),
      { numRuns: 10 },
    );
  });
});
