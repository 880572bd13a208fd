import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compress, uncompress } from 'snappyjs';
import { SnappyError, unsnap } from './snappy.js';
import { snap } from './testing/encode.js';

const MOST = 1 << 20;
/** Bytes of few kinds and in repeated runs, so that there are literals and copies of every sort. */
const bytes = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 300, max: 5 }), fc.nat(40)), { maxLength: 12 })
  .map((runs) => Buffer.concat(runs.flatMap(([run, times]) => Array.from({ length: times + 1 }, () => run))));

const outcome = (act: () => Uint8Array): string => {
  try {
    return Buffer.from(act()).toString('hex');
  } catch {
    return 'refused';
  }
};

describe('unsnap', () => {
  it('gives back what was compressed', () => {
    // Jest compares bytes one by one, in a hundred times the time.
    fc.assert(fc.property(bytes, (given) => given.equals(unsnap(compress(given), MOST))));
    fc.assert(fc.property(bytes, (given) => given.equals(unsnap(snap(given), MOST))));
    const long = Buffer.alloc(1_000_000, 'abcdefg ');
    expect(long.equals(unsnap(compress(long), MOST))).toBe(true);
  });

  it('may put it into memory that was used before', () => {
    const spare = Buffer.alloc(50_000, 'x');
    fc.assert(
      fc.property(bytes, (given) => {
        const out = unsnap(compress(given), MOST, spare);
        return given.equals(out) && (given.length + 3 > spare.length || out.buffer === spare.buffer);
      }),
    );
  });

  it('knows every kind of literal and copy', () => {
    const literal = Buffer.from([0x05, 0xf0, 0x04, ...Buffer.from('hello')]);
    expect(Buffer.from(unsnap(literal, MOST)).toString()).toBe('hello');
    // "ab", then ten bytes from two before (one byte of offset), then four (two bytes), then four (four bytes).
    const copies = Buffer.from([20, 0x04, 0x61, 0x62, 0x19, 0x02, 0x0e, 0x02, 0x00, 0x0f, 0x02, 0x00, 0x00, 0x00]);
    expect(Buffer.from(unsnap(copies, MOST)).toString()).toBe('ababababab' + 'ababababab');
  });

  it('whatever is changed in compressed bytes, they become what they say, or are refused', () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat());
    fc.assert(
      fc.property(bytes, change, (given, [place, flip, cut]) => {
        const compressed = Buffer.from(compress(given));
        const at = place % compressed.length;
        compressed[at] = (compressed[at] ?? 0) ^ flip;
        const changed = cut % 3 === 0 ? compressed.subarray(0, cut % compressed.length) : compressed;
        const ours = outcome(() => unsnap(changed, MOST));
        // The other decoder reads on beyond some ends; what it refuses, this one must refuse too.
        if (ours !== 'refused') expect(outcome(() => uncompress(changed, MOST))).toBe(ours);
      }),
    );
  });

  it('a bomb is refused before anything is allocated', () => {
    const head = (length: number): Buffer => {
      const out: number[] = [];
      for (let rest = length; ; rest = Math.floor(rest / 128)) {
        out.push(rest >= 128 ? (rest % 128) + 128 : rest);
        if (rest < 128) return Buffer.from([...out, 0x00, 0x61]);
      }
    };
    for (const length of [MOST + 1, 2 ** 31, 2 ** 32 - 1]) {
      expect(() => unsnap(head(length), MOST)).toThrow(
        new SnappyError(`it would become ${length} bytes, and at most ${MOST} are taken`, true),
      );
    }
    expect(() => unsnap(head(MOST), MOST)).toThrow('more than the rest can become');
    expect(() => unsnap(head(2 ** 32), MOST)).toThrow('at most 32 bits');
    expect(() => unsnap(Buffer.alloc(10, 0xff), MOST)).toThrow('at most 32 bits');
    expect(() => unsnap(Buffer.alloc(0), MOST)).toThrow('cut off');
  });

  it('the densest bytes that there are may come', () => {
    const most = Buffer.alloc(MOST, 'a');
    expect(unsnap(compress(most), MOST)).toHaveLength(MOST);
  });
});
