import { describe, expect, it } from '@jest/globals';
import { growthOf } from './heap-growth.js';

const MIB = 2 ** 20;

describe('how far the heap may grow', () => {
  it('is 48 MiB where that is more than 30 %', () => {
    expect(growthOf(48 * MIB)).toBe(100);
    expect(growthOf(96 * MIB)).toBe(50);
    expect(growthOf(200 * MIB)).toBe(30);
  });
});
