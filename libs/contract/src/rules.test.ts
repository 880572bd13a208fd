import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { EARLIEST_TIMESTAMP, MAX_AHEAD, parseTime, quote, timestamp, toRfc3339 } from './rules.js';

describe('parseTime', () => {
  it('reads back every time that toRfc3339 writes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true }),
        (date) => {
          expect(parseTime(toRfc3339(date.getTime()))).toBe(date.getTime());
        },
      ),
    );
  });

  it('agrees with Date on every offset', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 23 }),
        fc.integer({ min: 0, max: 59 }),
        fc.constantFrom('+', '-'),
        (h, m, sign) => {
          const text = `2026-03-29T01:30:00${sign}${String(h).padStart(2, '0')}:${String(m).padStart(2, '0')}`;
          expect(parseTime(text)).toBe(Date.parse(text));
        },
      ),
    );
  });

  it.each([
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-01-15T24:00:00Z',
    '2026-01-15T10:60:00Z',
    '2026-01-15T10:00:00',
    '2026-01-15',
    '1768471200000',
    'yesterday',
    '',
    1.5,
    NaN,
    2 ** 60,
    null,
    undefined,
    {},
  ])('does not take %j for a time', (value) => {
    expect(parseTime(value)).toBeUndefined();
  });
});

describe('timestamp', () => {
  const now = Date.UTC(2026, 0, 15);
  const rule = timestamp(() => now);

  it('takes from 2000 to ten minutes ahead, both included', () => {
    expect(rule(EARLIEST_TIMESTAMP)).toBeUndefined();
    expect(rule(now + MAX_AHEAD)).toBeUndefined();
    expect(rule(EARLIEST_TIMESTAMP - 1)).toContain('2000-01-01');
    expect(rule(now + MAX_AHEAD + 1)).toContain('no more than 10 minutes ahead');
  });
});

it('quotes structures of any depth and size in a few words', () => {
  let deep: unknown = [];
  for (let depth = 0; depth < 100_000; depth += 1) deep = [deep];
  expect(quote(deep)).toBe('an array of 1');
  expect(quote({ a: deep })).toBe('an object with "a"');
  expect(quote('x'.repeat(1e6)).length).toBeLessThan(110);
});
