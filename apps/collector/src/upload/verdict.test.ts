import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { backoff, parseRetryAfter, verdict } from './verdict.js';

describe('verdict', () => {
  it.each([
    ['delete', [200, 201, 202, 204, 299]],
    ['split', [400, 413, 422]],
    ['hold', [301, 302, 307, 308, 401, 402, 403, 404, 405, 406, 407, 409, 410, 411, 415, 426, 431, 451]],
    ['retry', [408, 425, 429, 500, 501, 502, 503, 504, 507, 599, undefined]],
  ] as const)('%s: %j', (expected, statuses) => {
    expect(statuses.map(verdict)).toEqual(statuses.map(() => expected));
  });
});

describe('backoff', () => {
  it('is between 0 and min(60 s, 1 s · 2ⁿ), and never shorter than Retry-After up to an hour', () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.option(fc.nat(10_000_000), { nil: undefined }),
        (failures, random, retryAfter) => {
          const pause = backoff(failures, retryAfter, random);
          const asked = Math.min(retryAfter ?? 0, 3_600_000);
          expect(pause).toBeGreaterThanOrEqual(asked);
          expect(pause).toBeLessThanOrEqual(Math.max(asked, Math.min(60_000, 1_000 * 2 ** failures)));
        },
      ),
    );
    expect(backoff(3, undefined, 0.5)).toBe(4_000);
    expect(backoff(100, undefined, 1)).toBe(60_000);
  });

  it('Retry-After is seconds or a date', () => {
    const now = Date.parse('2026-01-15T10:00:00Z');
    expect(parseRetryAfter('120', now)).toBe(120_000);
    expect(parseRetryAfter('Thu, 15 Jan 2026 10:00:30 GMT', now)).toBe(30_000);
    expect(parseRetryAfter('Thu, 15 Jan 2026 09:00:00 GMT', now)).toBe(0);
    expect([undefined, '', 'soon'].map((header) => parseRetryAfter(header, now))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
