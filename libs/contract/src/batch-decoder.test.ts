import 'reflect-metadata';
import { beforeAll, afterAll, describe, expect, it, jest } from '@jest/globals';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { BatchShapeError, BatchTooLongError, decodeBatch, formOf, MAX_ITEMS } from './batch-decoder.js';
import { DeviceReadingDto, MetricDto, RunDto } from './metric.dto.js';

const now = Date.now();
const DTO = { metric: MetricDto, run: RunDto, reading: DeviceReadingDto };

/** Mostly right, sometimes wrong in one of the ways that senders are wrong. */
const orWrong = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 12, arbitrary: right },
    {
      weight: 1,
      arbitrary: fc.constantFrom<unknown>(
        null,
        '',
        ' ',
        0,
        -1,
        NaN,
        Infinity,
        1.5,
        true,
        [],
        {},
        'x'.repeat(600),
        'a\nb',
        '\ud800',
      ),
    },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  );

const name = orWrong(fc.constantFrom('lab-pc-1', 'Küche 2', 'system.cpu.utilization', 'node_load1', 'a:b/c'));
const value = orWrong(fc.double({ noNaN: true, noDefaultInfinity: true }));
const labels = orWrong(
  fc.dictionary(fc.constantFrom('cpu', 'device', 'mount point'), orWrong(fc.string({ maxLength: 9 }))),
);
const timestamp = orWrong(
  fc.oneof(
    fc.integer({ min: Date.UTC(1999), max: now + 20 * 60_000 }),
    fc.constantFrom('2026-01-15T10:00:00Z', '2026-01-15T11:00:00.123456+01:00', '2026-02-30T10:00:00Z', '2026-01-15'),
  ),
);
const item: fc.Arbitrary<object> = fc.oneof(
  fc.record(
    { device_name: name, metric_name: name, value, unit: orWrong(fc.constantFrom('By', '1')), labels, timestamp },
    { requiredKeys: ['device_name', 'metric_name', 'value'] },
  ),
  fc.record(
    { device_name: name, metric_name: name, labels, samples: orWrong(fc.array(orWrong(fc.tuple(timestamp, value)))) },
    { requiredKeys: ['device_name', 'samples'] },
  ),
  fc.record(
    { device_name: name, timestamp, values: orWrong(fc.dictionary(fc.constantFrom('a', 'b', '1c'), value)) },
    { requiredKeys: ['device_name', 'values'] },
  ),
  fc.record({ device_name: name, metric_name: name, value, extra: value }, { requiredKeys: [] }),
);

// The DTO classes read the clock, the decoder is told the time.
beforeAll(() => void jest.spyOn(Date, 'now').mockReturnValue(now));
afterAll(() => void jest.restoreAllMocks());

describe('decodeBatch', () => {
  it('accepts what the DTO of the item accepts, and refuses the rest for a reason that the DTO gives too', async () => {
    await fc.assert(
      fc.asyncProperty(item, async (plain) => {
        // By itself: class-transformer leaves out what is named as a function of every object, as toString, so that its value
        // would be quoted otherwise.
        const instance = Object.assign(new DTO[formOf(plain)](), plain);
        const errors = validateSync(instance, { whitelist: true, forbidNonWhitelisted: true });
        const { accepted, rejected } = await decodeBatch([plain], now);

        // Of a single metric the framework checks the class, which does not know the clock that samples go by.
        const isAhead = formOf(plain) === 'metric' && rejected[0]?.reason.includes('minutes ahead of the server');
        expect(accepted).toBe(errors.length === 0 && !isAhead ? 1 : 0);
        if (isAhead) return expect(errors).toEqual([]);
        for (const { field, reason } of rejected) {
          const constraints = errors.find(({ property }) => property === field)?.constraints ?? {};
          if ('whitelistValidation' in constraints) expect(reason).toContain('is not a field of a');
          else expect(constraints).toEqual({ obeys: reason });
        }
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 10_000 : 250 },
    );
  });

  it('gives for any JSON either samples or a reason for each item', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.jsonValue(), item), { minLength: 1 }), async (items) => {
        const { accepted, rejected, samples } = await decodeBatch({ metrics: items }, now);

        expect(accepted + rejected.length).toBe(items.length);
        expect(samples.length).toBeGreaterThanOrEqual(accepted);
        for (const { timestamp, value } of samples) {
          expect(Number.isSafeInteger(timestamp)).toBe(true);
          expect(Number.isFinite(value)).toBe(true);
        }
      }),
    );
  });

  it('keeps the good items of a batch and names index, field and reason of the bad ones', async () => {
    const { samples, rejected } = await decodeBatch(
      [
        { device_name: 'a', metric_name: 'm', value: 1, timestamp: '2026-01-15T10:00:00Z' },
        { device_name: 'a', metric_name: 'm', value: 'warm' },
        { device_name: 'a', values: { m: 2, n: 3 } },
        { device_name: 'a', values: { m: 2, n: null } },
        { device_name: 'a', metric_name: 'm', labels: { x: 'y' }, unit: 'By', samples: [[now, 4]] },
      ],
      now,
    );

    expect(samples.map(({ metricName, timestamp, value }) => [metricName, timestamp, value])).toEqual([
      ['m', Date.UTC(2026, 0, 15, 10), 1],
      ['m', now, 2],
      ['n', now, 3],
      ['m', now, 4],
    ]);
    expect(samples[3]).toMatchObject({ labels: { x: 'y' }, unit: 'By' });
    expect(rejected).toEqual([
      { index: 1, field: 'value', reason: 'must be a finite number, got "warm"' },
      { index: 3, field: 'values', reason: '"n" must be a finite number, got null' },
    ]);
  });

  it.each([[undefined], [null], [{}], ['[]'], [{ metrics: {} }], [[]]])(
    'refuses %j, which is no batch',
    async (body) => {
      await expect(decodeBatch(body, now)).rejects.toThrow(BatchShapeError);
    },
  );

  it('refuses more items than one answer can name', async () => {
    await expect(decodeBatch(new Array(MAX_ITEMS + 1).fill({}), now)).rejects.toThrow(BatchTooLongError);
  });
});
