import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteMap } from './byte-map.js';

it('finds by bytes what a map finds by strings, wherever the bytes stand', () => {
  const key = fc.uint8Array({ maxLength: 6, max: 3 });
  fc.assert(
    fc.property(fc.array(fc.record({ key, before: key, after: key })), (looks) => {
      const found = new ByteMap<number>(1_000);
      const expected = new Map<string, number>();
      looks.forEach(({ key, before, after }, index) => {
        const bytes = Uint8Array.from([...before, ...key, ...after]);
        const [start, end] = [before.length, before.length + key.length];
        expect(found.get(bytes, start, end)).toBe(expected.get(String(key)));
        if (expected.has(String(key))) return;
        expected.set(String(key), index);
        found.set(bytes, start, end, index);
        bytes.fill(255);
      });
      expect(found.size).toBe(expected.size);
    }),
  );
});

it.each([
  [new ByteMap<number>(10), 10],
  [new ByteMap<number>(1_000, 40), 10],
])('starts again when it is full, of keys or of bytes', (map, most) => {
  const bytes = new Uint8Array(4);
  for (let number = 0; number < 100; number += 1) {
    new DataView(bytes.buffer).setUint32(0, number);
    map.set(bytes, 0, 4, number);
    expect(map.get(bytes, 0, 4)).toBe(number);
    expect(map.size).toBeLessThanOrEqual(most);
  }
});
