import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { isNewer } from './version-order.js';

describe('the order of versions', () => {
  // As https://semver.org has it, and what others write.
  const rising = [
    'no version',
    '0.0.1',
    '0.9.0',
    '0.10.0-alpha',
    '0.10.0-alpha.1',
    '0.10.0-alpha.beta',
    '0.10.0-beta.2',
    '0.10.0-beta.11',
    '0.10.0~rc.1',
    '0.10.0',
    '0.10.1',
    '1.0.0',
    '10.0.0',
  ];

  it('is that of semver.org', () => {
    fc.assert(
      fc.property(fc.nat(rising.length - 1), fc.nat(rising.length - 1), (one, other) => {
        expect(isNewer(rising[one] as string, rising[other] as string)).toBe(one > other);
      }),
    );
  });

  it('what is said of a build is no difference', () => {
    expect(isNewer('1.0.0+build.7', '1.0.0')).toBe(false);
    expect(isNewer('1.0.0', '1.0.0+build.7')).toBe(false);
    expect(isNewer('1.0', '1.0.0')).toBe(false);
  });
});
