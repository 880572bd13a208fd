import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { BodyKeys, ByteMap, KeptBytes, PartedMap } from './byte-map.js';

/** Says by its first byte where the second part of a key begins. */
const partAt = (bytes: Uint8Array, start: number, end: number): number =>
  Math.min(end, start + (start < end ? (bytes[start] as number) : 0));

it.each([
  ['by bytes', () => new ByteMap<number>(1_000)],
  ['by two parts of them', () => new PartedMap<number>(partAt, 1_000)],
])('finds %s what a map finds by strings, wherever the bytes stand', (_, make) => {
  const key = fc.uint8Array({ maxLength: 6, max: 3 });
  fc.assert(
    fc.property(fc.array(fc.record({ key, before: key, after: key })), (looks) => {
      const found = make();
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

it('tells bytes apart by every bit, also those of zeros and of what is no number', () => {
  const eight = fc.constantFrom(
    '0000000000000000',
    '0000000000000080',
    '000000000000f07f',
    '010000000000f87f',
    '6162636465666768',
  );
  const tail = fc.uint8Array({ maxLength: 7, max: 1 });
  const key = fc.tuple(fc.array(eight, { maxLength: 2 }), tail).map(([words, rest]) => {
    return Uint8Array.from([...words.flatMap((word) => [...Buffer.from(word, 'hex')]), ...rest]);
  });
  fc.assert(
    fc.property(key, key, (one, other) => {
      const map = new ByteMap<string>(10);
      map.set(one, 0, one.length, 'one');
      const isSame = Buffer.compare(one, other) === 0;
      expect(map.get(other, 0, other.length)).toBe(isSame ? 'one' : undefined);
      const around = Buffer.concat([Buffer.from([7]), other]);
      const view = new DataView(around.buffer, around.byteOffset, around.length);
      const isPrefix = other.length >= one.length && Buffer.compare(one, other.subarray(0, one.length)) === 0;
      expect(new KeptBytes(one).isAt(view, around.length, 1)).toBe(isPrefix);
    }),
  );
});

it('finds each of very many keys, in any order, while they become more and after it has started again', () => {
  const map = new ByteMap<number>(3_000);
  const keyOf = (number: number): Buffer => Buffer.from(`${'x'.repeat(number % 11)}${number}`);
  const found = (number: number): number | undefined => map.get(keyOf(number), 0, keyOf(number).length);
  const looks = Array.from({ length: 5_000 }, (_, number) => {
    map.set(keyOf(number), 0, keyOf(number).length, number);
    const before = (number * 7) % 5_000;
    const isThere = before <= number && (number < 3_000 || before >= 3_000);
    return { before, found: found(before), expected: isThere ? before : undefined };
  });
  expect(looks.filter(({ found, expected }) => found !== expected)).toEqual([]);
  expect(map.size).toBe(2_000);
  expect(Array.from(map.entries(), ([bytes, start, end]) => Buffer.from(bytes.subarray(start, end)))).toEqual(
    Array.from({ length: 2_000 }, (_, index) => keyOf(3_000 + index)),
  );
});

it.each([
  [new ByteMap<number>(10), 10],
  [new ByteMap<number>(1_000, 40), 10],
  [new PartedMap<number>((_bytes, start) => start + 1, 10), 10],
  [new PartedMap<number>((_bytes, start) => start + 3, 1_000, 40), 37],
])('starts again when it is full, of keys or of bytes', (map, most) => {
  const bytes = new Uint8Array(4);
  for (let number = 0; number < 100; number += 1) {
    new DataView(bytes.buffer).setUint32(0, number);
    map.set(bytes, 0, 4, number);
    expect(map.get(bytes, 0, 4)).toBe(number);
    expect(map.size).toBeLessThanOrEqual(most);
  }
});

it('has each part of its keys once, and knows none of them once it has started again', () => {
  const map = new PartedMap<string>((_bytes, start) => start + 3, 10_000, 1_000);
  const look = (key: string): string | undefined => map.get(Buffer.from(key), 0, key.length);
  const keys = Array.from(
    { length: 2_500 },
    (_, index) => `${100 + (index % 50)}-target-${1_000 + Math.floor(index / 50)}`,
  );
  for (const key of keys) map.set(Buffer.from(key), 0, key.length, key);
  expect([map.size, map.starts]).toEqual([2_500, 0]);
  for (const order of [keys, keys.toReversed()]) expect(order.map(look)).toEqual(order);

  map.clear();
  const others = keys.map((key) => key.replace('target', 'device'));
  for (const key of others) map.set(Buffer.from(key), 0, key.length, key);
  expect([map.size, map.starts]).toEqual([2_500, 1]);
  expect(others.map(look)).toEqual(others);
  expect(keys.filter((key) => look(key) !== undefined)).toEqual([]);
});

it('says what followed by two numbers and the bytes behind them, and nothing else', () => {
  const map = new ByteMap<string>(10);
  const keyOf = (first: number, second: number, text: string): Buffer =>
    Buffer.concat([Buffer.from(Uint32Array.of(first, second).buffer), Buffer.from(text)]);
  const keys = [keyOf(1, 2, ''), keyOf(1, 3, 'cpu=0'), keyOf(4_000_000_000, 3, 'a text of more than eight bytes')];
  for (const key of keys) map.set(key, 0, key.length, key.toString('latin1'));
  for (const key of keys) map.get(key, 0, key.length);
  map.get(keys[0] as Buffer, 0, 8);

  const other = Buffer.from('-cpu=0-');
  expect(map.following(1, 3, other, 1, 5)).toBeUndefined();
  expect(map.following(1, 2, other, 1, 6)).toBeUndefined();
  expect(map.following(2, 3, other, 1, 6)).toBeUndefined();
  expect(map.following(1, 3, other, 1, 6)).toBe(keys[1]?.toString('latin1'));
  const last = Buffer.from('a text of more than eight bytes');
  expect(map.following(4_000_000_000, 3, last, 0, last.length)).toBe(keys[2]?.toString('latin1'));
  expect(map.following(1, 2, last, 3, 3)).toBe(keys[0]?.toString('latin1'));
});

it('keeps of what a body names first only what is wanted, and nothing once the map has started again', async () => {
  const map = new ByteMap<string>(10);
  const [a, b] = [Buffer.from('a'), Buffer.from('b')];
  const body = new BodyKeys(map);
  body.set(a, 0, 1, 'a');
  body.set(b, 0, 1, 'b');
  expect([body.get(a, 0, 1), map.get(a, 0, 1), body.size]).toEqual(['a', undefined, 2]);
  await body.keep((value) => value === 'a');
  expect([map.get(a, 0, 1), map.get(b, 0, 1)]).toEqual(['a', undefined]);
  map.clear();
  await body.keep(() => true);
  expect(map.size).toBe(0);
});
