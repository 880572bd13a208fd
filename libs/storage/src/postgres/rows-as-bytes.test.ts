import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteWriter } from '../columnar/codec/bytes.js';
import { dataSourceOptions, openDataSource } from '../data-source.js';
import { whyNoPostgres } from '../testing/postgres.js';
import { giveBack, takeDatabase } from '../testing/postgres-databases.js';
import { configOf } from './data-source.js';
import { Database } from './database.js';
import { fieldsOf, int8Of, Tap } from './rows-as-bytes.js';

/** A message of the server. */
function messageOf(type: string, body: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 'latin1');
  header.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

describe('what comes on a connection', () => {
  it('goes to the driver but for rows that are wanted as bytes, however it is cut', () => {
    const message = fc.record({
      type: fc.constantFrom('D', 'D', 'C', 'Z', 'N', '2'),
      body: fc.uint8Array({ minLength: 2, maxLength: 40 }),
      isWanted: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(message), fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (messages, cuts) => {
        const passed: Buffer[] = [];
        const tap = new Tap((bytes) => passed.push(Buffer.from(bytes)));
        const rows = new ByteWriter();
        const isOfRows = ({ type, isWanted }: (typeof messages)[number]): boolean => type === 'D' && isWanted;
        for (const { type, body, isWanted } of messages) {
          tap.rows = isWanted ? rows : undefined;
          const bytes = messageOf(type, body);
          for (let at = 0, cut = 0; at < bytes.length; at += cuts[cut % cuts.length], cut += 1) {
            tap.take(bytes.subarray(at, at + cuts[cut % cuts.length]));
          }
        }
        expect(Buffer.from(rows.written())).toEqual(Buffer.concat(messages.filter(isOfRows).map(({ body }) => body)));
        expect(Buffer.concat(passed)).toEqual(
          Buffer.concat(messages.filter((one) => !isOfRows(one)).map(({ type, body }) => messageOf(type, body))),
        );
      }),
    );
  });
});

const describeIf = whyNoPostgres === undefined ? describe : describe.skip;

describeIf('rows as bytes', () => {
  let url: string;
  let database: Database;
  const into = new ByteWriter();

  beforeAll(async () => {
    url = await takeDatabase();
    const dataSource = await openDataSource(dataSourceOptions(url));
    database = new Database(configOf(dataSource), 1);
    await dataSource.destroy();
  });
  afterAll(async () => {
    await database.close();
    giveBack(url);
  });

  const count = { name: 'count', text: 'SELECT n::bigint FROM generate_series(1, $1::bigint) n' };
  const blob = { text: `SELECT decode(repeat('00ff80', $1::integer), 'hex'), $2::bigint` };
  const read = async (...values: readonly number[]): Promise<{ numbers: number[]; blobs: [number, Buffer][] }> => {
    const [first, second, third] = values.map(String);
    into.clear();
    const statements = [
      { ...count, values: [first] },
      { ...blob, values: [second, third] },
      { ...count, values: [first] },
    ];
    const ends = await database.rowsAsBytes(statements, into);
    const rows = (from: number, to: number): Uint8Array[][] => [...fieldsOf(into.written().subarray(from, to))];
    const numbers = [...rows(0, ends[0]), ...rows(ends[1], ends[2])].map(([field]) => int8Of(field));
    const blobs = rows(ends[0], ends[1]).map(([data, field]): [number, Buffer] => [int8Of(field), Buffer.from(data)]);
    return { numbers, blobs };
  };

  it('are those of each statement, of any size, and the driver reads its own in between', async () => {
    for (const size of [0, 1, 1_000, 30_000, 300_000, 5]) {
      const { numbers, blobs } = await read(3, size, -(2 ** 52) + size);
      expect(numbers).toEqual([1, 2, 3, 1, 2, 3]);
      const sent = Buffer.from('00ff80'.repeat(size), 'hex');
      expect(blobs.map(([number, data]) => [number, data.equals(sent)])).toEqual([[-(2 ** 52) + size, true]]);
      expect(await database.rows(`SELECT 'ä' AS text, '\\x00ff'::bytea AS bytes`)).toEqual([
        { text: 'ä', bytes: Buffer.from([0, 255]) },
      ]);
    }
  });

  it('of a statement that fails are none, and those of the next one are right', async () => {
    const failing = { text: 'SELECT 1 / (n - 3) FROM generate_series(1, 5) n', values: [] };
    into.clear();
    await expect(database.rowsAsBytes([{ ...count, values: ['2'] }, failing], into)).rejects.toThrow(
      /division by zero/,
    );
    expect(await read(2, 1, 5)).toEqual({ numbers: [1, 2, 1, 2], blobs: [[5, Buffer.from([0, 255, 128])]] });
  });
});
