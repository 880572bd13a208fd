import { describe, expect, it } from '@jest/globals';
import { decodeCandidates } from '@device-metrics/contract';
import { eachSample, passColumns, passSamples, type Receipt } from '@device-metrics/domain';
import fc from 'fast-check';
import { longListsOf } from '../../http/json-body.js';
import { BatchScanner, type ScannedBatch } from './scan-batch.js';

const now = Date.UTC(2026, 0, 15, 10);
const receipt: Receipt = {
  receivedAt: now,
  oldest: Date.UTC(2025, 11, 1),
  deviceOf: (name) => (name === 'foreign' ? { refused: 'is not yours' } : name),
  unitOf: ({ metricName }) => (metricName === 'hw.temperature' ? 'Cel' : null),
};

/** What both say of a body, in one form. */
const byBytes = (batch: ScannedBatch): unknown => {
  const { samples, refused } = passColumns(batch, receipt);
  return { samples: eachSample(samples), refused: refused.map(({ named, ...refusal }) => named && refusal) };
};
const byText = async (body: string): Promise<unknown> => {
  const { malformed, ...candidates } = await decodeCandidates(JSON.parse(body), receipt);
  expect(malformed).toEqual([]);
  expect(await longListsOf(body)).toBeDefined();
  expect(body).not.toMatch(/"__proto__"\s*:/);
  const { samples, refused } = passSamples(candidates, receipt);
  return { samples, refused };
};

/** @param room of the memory of an earlier body. */
const readBody = (scanner: BatchScanner, body: string, room = 64): Promise<ScannedBatch | undefined> => {
  const used = (): Float64Array<ArrayBuffer> => new Float64Array(room).fill(NaN);
  return scanner.scan(Buffer.from(body), now, { timestamps: used(), values: used() }, 32);
};

/** Reads a body, all of which is then stored. */
const scan = async (scanner: BatchScanner, body: string): Promise<ScannedBatch | undefined> => {
  const batch = await readBody(scanner, body);
  for (const one of batch?.series ?? []) one.found = one;
  if (batch) await scanner.keep(batch);
  return batch;
};

const name = fc.constantFrom(
  'lab-pc-1',
  'Ku\u0308che 2',
  'foreign',
  'm',
  '',
  ' x',
  '__proto__',
  'toString',
  'a"b',
  'a\tb',
);
const metric = fc.oneof(fc.constantFrom('hw.temperature', 'a', 'b', 'c'), name);
const value = fc.oneof(
  { weight: 4, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 4, arbitrary: fc.integer() },
  { weight: 4, arbitrary: fc.tuple(fc.integer(), fc.nat(9999)).map(([a, b]) => Number(`${a}.${b}`)) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(null, '1', -0, 5e-324, 1.7976931348623157e308, true, {}, []) },
);
const timestamp = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: Date.UTC(2025, 10), max: now + 20 * 60_000 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom<unknown>(
      '2026-01-15T10:00:00Z',
      '2026-01-15T11:00:00.1+01:00',
      '2026-01-15',
      1.5,
      null,
      -1,
    ),
  },
);
const unit = fc.constantFrom<unknown>('Cel', '[degF]', 'By', '', 7);
const labels = fc.oneof(
  fc.dictionary(fc.constantFrom('cpu', 'e\u0301', '__proto__', ''), fc.constantFrom('0', 'é', '\\', ']}"'), {
    maxKeys: 3,
  }),
  fc.constantFrom<unknown>([], { cpu: 0 }, null),
);
const shuffled = (item: fc.Arbitrary<object>): fc.Arbitrary<object> =>
  fc.tuple(item, fc.nat()).map(([one, seed]) => {
    const entries = Object.entries(one);
    return Object.fromEntries([...entries.slice(seed % entries.length), ...entries.slice(0, seed % entries.length)]);
  });
const reading = fc.record(
  { device_name: name, timestamp, values: fc.dictionary(metric, value, { maxKeys: 4 }) },
  { requiredKeys: ['device_name', 'values'] },
);
const item = fc.oneof(
  reading,
  fc.record(
    { device_name: name, metric_name: metric, value, unit, labels, timestamp },
    { requiredKeys: ['device_name', 'metric_name', 'value'] },
  ),
  fc.record(
    {
      device_name: name,
      metric_name: metric,
      unit,
      labels,
      samples: fc.array(fc.tuple(timestamp, value), { maxLength: 4 }),
    },
    { requiredKeys: ['device_name', 'metric_name', 'samples'] },
  ),
);
/** JSON of batches, and what nearly is: other spaces, other ways to write numbers, a byte that is another one. */
const body = fc
  .tuple(
    fc.array(fc.oneof(item, shuffled(item)), { minLength: 1, maxLength: 5 }),
    fc.boolean(),
    fc.constantFrom('', ' ', '\n\t'),
    fc.option(
      fc.record({
        at: fc.nat(),
        by: fc.constantFrom('0', '-', '.', 'e5', ',', '"', ' ', ']', '}', ':', '\\u0061', '{}'),
      }),
    ),
  )
  .map(([items, isBare, indent, change]) => {
    const json = JSON.stringify(isBare ? items : { metrics: items }, null, indent);
    if (!change) return json;
    const at = change.at % (json.length + 1);
    return json.slice(0, at) + change.by + json.slice(at + 1);
  });

describe('BatchScanner', () => {
  it('takes of any body what the parser takes, and refuses it for the same reasons, or leaves it to the parser', async () => {
    const scanners = [new BatchScanner(1_000), new BatchScanner(3)];
    await fc.assert(
      fc.asyncProperty(body, async (text) => {
        for (const [index, scanner] of scanners.entries()) {
          const batch = await scan(scanner, text);
          if (!batch) continue;
          // As a store does that has found them: they are named again where somebody looks at them.
          if (index === 0) for (const group of batch.groups ?? []) group.note({}, {});
          if (batch.groups) expect(batch.groups.flatMap(({ series }) => series)).toEqual(batch.series);
          expect(byBytes(batch)).toEqual(await byText(text));
        }
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [
      'readings',
      [
        { device_name: 'pc', timestamp: now, values: { a: 1.5, b: -3 } },
        { device_name: 'pc', values: { b: 1e-7, c: 0 } },
      ],
    ],
    [
      'metrics',
      [
        {
          device_name: 'pc',
          metric_name: 'm',
          value: 2,
          labels: { cpu: '0' },
          unit: 'By',
          timestamp: '2026-01-15T10:00:00Z',
        },
      ],
    ],
    [
      'runs',
      [
        {
          device_name: 'pc',
          metric_name: 'm',
          samples: [
            [now - 1, 1],
            [now, 2],
          ],
        },
      ],
    ],
  ])('takes %s, however they are spaced and whether they stand alone', async (_form, items) => {
    for (const batch of [items, { metrics: items }]) {
      for (const indent of [0, 2]) {
        const text = JSON.stringify(batch, null, indent);
        const scanned = await scan(new BatchScanner(1_000), `${text}\n`);
        expect(scanned && byBytes(scanned)).toEqual(await byText(text));
      }
    }
  });

  it('has each sample of items of all forms, however short the body was whose memory it gets', async () => {
    const number = fc.integer({ min: 1 });
    const device_name = fc.constantFrom('a', 'b');
    const metric_name = fc.constantFrom('m', 'n');
    const usual = fc.oneof(
      fc.record({ device_name, metric_name, value: number }),
      fc.record({ device_name, values: fc.dictionary(metric_name, number, { minKeys: 1, maxKeys: 2 }) }),
      fc.record({ device_name, metric_name, samples: fc.array(fc.tuple(fc.constant(now), number), { minLength: 1 }) }),
    );
    const items = fc.array(usual, { minLength: 1, maxLength: 100 });
    await fc.assert(
      fc.asyncProperty(items, fc.integer({ min: 1, max: 80 }), async (metrics, room) => {
        const text = JSON.stringify({ metrics });
        const batch = await readBody(new BatchScanner(1_000), text, room);
        expect(batch && byBytes(batch)).toEqual(await byText(text));
      }),
    );
  });

  it('finds the metrics of a device that has very many, in whatever order they come', async () => {
    const scanner = new BatchScanner(1_000);
    const names = Array.from({ length: 200 }, (_, index) => `metric_${index}`);
    for (const some of [names, [...names].reverse(), names.slice(50, 150), [...names, 'another']]) {
      const values = Object.fromEntries(some.map((one, index) => [one, index]));
      const text = JSON.stringify([{ device_name: 'pc', values }]);
      const scanned = await scan(scanner, text);
      expect(scanned && byBytes(scanned)).toEqual(await byText(text));
    }
  });

  it('says where all items are whole readings of devices in the usual order', async () => {
    const scanner = new BatchScanner(1_000);
    const groupsOf = async (...items: object[]): Promise<number[] | undefined> =>
      (await scan(scanner, JSON.stringify(items)))?.groups?.map(({ series }) => series.length);
    const reading = (device_name: string, ...names: string[]): object => ({
      device_name,
      values: Object.fromEntries(names.map((name) => [name, 1])),
    });
    const [a, b] = [reading('a', 'x', 'y'), reading('b', 'x')];
    expect(await groupsOf(a, b)).toBeUndefined();
    expect(await groupsOf(a, b)).toEqual([2, 1]);
    expect(await groupsOf(b, a, b)).toEqual([1, 2, 1]);
    expect(await groupsOf(a, reading('b', 'x', 'y'))).toBeUndefined();
    expect(await groupsOf(a, reading('b', 'x', 'y'))).toEqual([2, 2]);
    for (const other of [b, reading('a', 'y', 'x'), { device_name: 'a', metric_name: 'x', value: 1 }]) {
      expect(await groupsOf(a, other)).toBeUndefined();
      const batch = await scan(scanner, JSON.stringify([a, other, a]));
      const named = (batch?.series ?? []).map(({ deviceName, metricName }) => `${deviceName} ${metricName}`);
      expect(named.slice(0, 2)).toEqual(['a x', 'a y']);
      expect(named.slice(-2)).toEqual(['a x', 'a y']);
      expect(named).toHaveLength(batch?.values.length ?? 0);
    }
    // A name that comes twice, after those that came in their order.
    const twice = '[{"device_name":"a","values":{"x":1,"y":2,"x":3}}]';
    expect(await scan(scanner, twice)).toBeUndefined();
  });

  it('leaves to the parser what may be no JSON or says a thing twice', async () => {
    const reading = (values: string): string => `[{"device_name":"pc","values":{${values}}}]`;
    const taken = reading('"a":1,"b":2');
    expect(await scan(new BatchScanner(9), taken)).toBeDefined();
    const texts = [
      '"a":1,"a":2',
      '"a":01',
      '"a":1.',
      '"a":.5',
      '"a":+1',
      '"a":1e',
      '"__proto__":1',
      '"a":1,',
      '"\\u0061":1',
      '',
    ];
    for (const text of [...texts.map(reading), taken.slice(0, -1), `${taken}x`, `\ufeff${taken}`, '[]', '{}', '']) {
      expect([text, await scan(new BatchScanner(9), text)]).toEqual([text, undefined]);
    }
  });
});

it('remembers the series of metrics once they are stored, and none of those that are refused', async () => {
  const scanner = new BatchScanner(100);
  const body = '[{"device_name":"d","metric_name":"a","value":1},{"device_name":"d","metric_name":"b","value":1}]';
  const refused = await readBody(scanner, body);
  await scanner.keep(refused as ScannedBatch);
  const stored = await scan(scanner, body);
  const again = await scan(scanner, body);
  expect(stored?.series[0]).not.toBe(refused?.series[0]);
  expect(again?.series).toEqual(stored?.series);
  expect(again?.series[0]).toBe(stored?.series[0]);
});
