import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JournalRowWriter } from '../columnar/codec/journal-row.js';
import { dataSourceOptions, openDataSource } from '../data-source.js';
import { whyNoPostgres } from '../testing/postgres.js';
import { giveBack, takeDatabase } from '../testing/postgres-databases.js';
import { configOf } from './data-source.js';
import { DamagedRows } from './damaged-rows.js';
import { Database } from './database.js';
import { OthersRows } from './others-rows.js';
import { rowKey } from './writer.js';

const describeIf = whyNoPostgres === undefined ? describe : describe.skip;

describeIf('journal rows of others', () => {
  let url: string;
  let database: Database;
  let others: OthersRows;

  beforeAll(async () => {
    url = await takeDatabase();
    const dataSource = await openDataSource(dataSourceOptions(url));
    database = new Database(configOf(dataSource), 1);
    await dataSource.destroy();
    const onProblem = (problem: unknown): void => {
      throw problem;
    };
    others = new OthersRows(database, new DamagedRows(database, () => 0, onProblem));
  });
  afterAll(async () => {
    await database.close();
    giveBack(url);
  });

  const writer = new JournalRowWriter();
  const rowOf = (id: number, at: number): Buffer => {
    writer.reserve(1);
    writer.add(1, at, id);
    // Those of a version before are not packed.
    return Buffer.from(writer.lend(id, at % 2 === 0 ? 'plain' : 'packed'));
  };

  it('come in the order of their times, each once, however many have written them and when', async () => {
    const lives = fc.array(
      fc.record({
        start: fc.nat(3_000),
        gaps: fc.array(fc.nat(40), { minLength: 1, maxLength: 150 }),
        seen: fc.nat(3),
      }),
      { minLength: 1, maxLength: 14 },
    );
    await fc.assert(
      fc.asyncProperty(lives, async (writers) => {
        const rows = writers.flatMap(({ start, gaps }, index) => {
          let at = start;
          return gaps.map((gap, number) => ({ writer: index + 1, number: number + 1, at: (at += gap) }));
        });
        await database.run('TRUNCATE journal');
        await database.run(
          'INSERT INTO journal (writer, number, at, data) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])',
          [
            rows.map((row) => row.writer),
            rows.map((row) => row.number),
            rows.map((row) => row.at),
            rows.map((row) => rowOf(rowKey(row.writer, row.number), row.at)),
          ],
        );
        const unread = writers.flatMap(({ gaps: { length }, seen }, index) =>
          length > seen ? [{ writer: index + 1, after: seen, last: length }] : [],
        );
        await database.run('TRUNCATE writer');
        await database.run(
          `INSERT INTO writer (id, last, until, host, version)
           SELECT *, statement_timestamp() + interval '1 h', '', 7 FROM unnest($1::bigint[], $2::bigint[])`,
          [writers.map((_, index) => index + 1), writers.map(({ gaps }) => gaps.length)],
        );
        const seenOf = (id: number): number => writers[id - 1]?.seen ?? 0;
        const asked = await others.look();
        expect(asked.rows).toEqual([]);
        const inOrder = (look: typeof asked): unknown[] =>
          look.writers.map(({ id, last, lives, version }) => [id, last, lives, version]).sort();
        // What is near is known from the look before.
        await others.look(seenOf);
        const look = await others.look(seenOf);
        expect(inOrder(look)).toEqual(writers.map(({ gaps }, index) => [index + 1, gaps.length, true, 0]).sort());
        expect(inOrder(asked)).toEqual(inOrder(look));
        const found: { writer: number; number: number; at: number }[] = [];
        const wrong: unknown[] = [];
        for await (const page of others.pages(unread, look.rows)) {
          for (const { writer, number, at, row } of page) {
            const { timestamps, values } = row?.columns() ?? {};
            if (timestamps?.[0] !== at || values?.[0] !== rowKey(writer, number)) wrong.push({ writer, number, at });
            if (at < (found.at(-1)?.at ?? 0)) wrong.push({ writer, number, at });
            found.push({ writer, number, at });
          }
        }
        expect(wrong).toEqual([]);
        // Of one writer they are in the order of its numbers: to sort by writer leaves that as it is.
        const expected = rows.filter(({ writer, number }) => number > (writers[writer - 1]?.seen ?? 0));
        expect(found.sort((a, b) => a.writer - b.writer)).toEqual(expected);
      }),
      // Very many that begin in the same moment, too: before it, nothing of the first ones is there.
      { numRuns: 10, examples: [[Array.from({ length: 12 }, () => ({ start: 0, gaps: [0], seen: 0 }))]] },
    );
  });
});
