import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { passSamples, type Candidate } from './sample-gate.js';
import { deviceNameRule, labelsRule, metricNameRule, timeRule, unitRule, valueRule } from './sample-rules.js';

const receipt = { receivedAt: Date.UTC(2026, 0, 15), oldest: Date.UTC(2025, 11, 1) };
const time = timeRule(() => receipt.receivedAt, receipt.oldest);

const orAnything = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 9, arbitrary: right },
    { weight: 1, arbitrary: fc.oneof(fc.anything(), fc.string({ unit: 'binary', maxLength: 600 })) },
  );
const candidate: fc.Arbitrary<Candidate> = fc.record({
  deviceName: orAnything(fc.constantFrom('lab-pc-1', 'Küche 2', ' ends', '')),
  metricName: orAnything(fc.constantFrom('hw.temperature', 'node_load1', '1st')),
  unit: orAnything(fc.constantFrom(undefined, 'Cel', '')),
  labels: orAnything(fc.dictionary(fc.constantFrom('cpu', 'a\nb'), fc.string())),
  timestamp: orAnything(fc.oneof(fc.integer({ min: Date.UTC(1971), max: Date.UTC(2027) }), fc.constant(NaN))),
  value: orAnything(fc.oneof(fc.double(), fc.integer())),
});

function isSample(one: Candidate): boolean {
  const reasons = [
    deviceNameRule(one.deviceName),
    metricNameRule(one.metricName),
    one.unit === undefined ? undefined : unitRule(one.unit),
    labelsRule(one.labels),
    time(one.timestamp),
    valueRule(one.value),
  ];
  return reasons.every((reason) => reason === undefined);
}

describe('the gate', () => {
  it('lets pass the items of which every candidate obeys every rule, unchanged, and says why of each other', () => {
    fc.assert(
      fc.property(fc.array(fc.array(candidate, { maxLength: 4 })), (items) => {
        const expected = items.filter((item) => item.every(isSample)).flat();
        let end = 0;
        const ends = items.map((item) => (end += item.length));
        const { samples, refused } = passSamples({ samples: items.flat().map((one) => ({ ...one })), ends }, receipt);

        expect(samples).toEqual(expected);
        expect(refused.map(({ item }) => item)).toEqual(
          items.flatMap((item, index) => (item.every(isSample) ? [] : [index])),
        );
        for (const { field, reason } of refused)
          expect([field, reason]).toEqual([expect.any(String), expect.stringMatching(/./)]);
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 3_000 : 120 },
    );
  });

  it('takes each candidate for an item where nobody says otherwise', () => {
    const one = { deviceName: 'a', metricName: 'm', unit: undefined, labels: {}, timestamp: receipt.receivedAt };
    const { samples, refused } = passSamples(
      {
        samples: [
          { ...one, value: 1 },
          { ...one, value: NaN },
          { ...one, value: 10n },
          { ...one, value: 3 },
        ],
      },
      receipt,
    );
    expect(samples.map(({ value }) => value)).toEqual([1, 3]);
    expect(refused).toEqual([
      { item: 1, field: 'value', reason: 'must be a finite number, got NaN' },
      { item: 2, field: 'value', reason: 'must be a finite number, got 10' },
    ]);
  });
});
