import { expect, it } from '@jest/globals';
import { readWorkbook } from '../../../test/workbook.js';
import { xlsx, type Cell } from './xlsx.js';

async function* inPieces(...pieces: Cell[][][]): AsyncGenerator<Cell[][]> {
  yield* pieces;
}
async function workbook(titles: string[], pieces: AsyncIterable<Cell[][]>, maxRows?: number) {
  const chunks: Uint8Array[] = [];
  for await (const chunk of xlsx(titles, pieces, maxRows)) chunks.push(chunk);
  return readWorkbook(Buffer.concat(chunks));
}

it('numbers are numbers, times are times to the millisecond, and texts stay texts', async () => {
  const time = Date.UTC(2026, 0, 15, 10, 0, 0, 123);
  const texts = ['=1+1', ' <a> & "b" ', 'é😀', '_x0041_', 'a\u0001b\uFFFE', 'line\nbreak'];
  const { sheets } = await workbook(
    ['a', 'b'],
    inPieces([...texts.map((text) => [text, null]), [-1.5e-7, new Date(time)], [Infinity, 1e300]]),
  );

  expect([...sheets.keys()]).toEqual(['Report 1']);
  expect(sheets.get('Report 1')).toEqual({
    1: { A: { text: 'a' }, B: { text: 'b' } },
    ...Object.fromEntries(texts.map((text, index) => [index + 2, { A: { text } }])),
    8: { A: { number: -1.5e-7 }, B: { time } },
    9: { B: { number: 1e300 } },
  });
});

it('every part is XML without a character that XML does not have', async () => {
  const { parts } = await workbook(['a'], inPieces([['\0\b\x1F\uFFFF'], ['\uD800x']]));
  // eslint-disable-next-line no-control-regex -- these are what it is about
  for (const [, xml] of parts) expect(xml).not.toMatch(/[\0-\x08\x0B\x0C\x0E-\x1F\uFFFE\uFFFF]/);
  expect(parts.get('xl/sharedStrings.xml')).toContain('\uFFFDx');
});

it('what a sheet has no room for goes on in the next, under the same titles', async () => {
  const rows = (from: number, to: number): number[][] =>
    Array.from({ length: to - from }, (_, index) => [from + index]);
  const numbers = async (pieces: AsyncIterable<Cell[][]>): Promise<unknown[]> =>
    [...(await workbook(['n'], pieces, 4)).sheets.values()].map((sheet) =>
      Object.values(sheet).map(({ A }): unknown => A && Object.values(A)[0]),
    );
  expect(await numbers(inPieces(rows(0, 2), rows(2, 7)))).toEqual([
    ['n', 0, 1, 2],
    ['n', 3, 4, 5],
    ['n', 6],
  ]);
  expect(await numbers(inPieces(rows(0, 6), []))).toEqual([
    ['n', 0, 1, 2],
    ['n', 3, 4, 5],
  ]);
  expect(await numbers(inPieces())).toEqual([['n']]);
});

it('columns go on after Z', async () => {
  const titles = Array.from({ length: 703 }, (_, index) => String(index));
  const { sheets } = await workbook(titles, inPieces());
  const columns = Object.keys(sheets.get('Report 1')?.[1] ?? {});
  expect([columns[25], columns[26], columns[701], columns[702]]).toEqual(['Z', 'AA', 'ZZ', 'AAA']);
});

it('an error on the way is the error of the workbook, and a reader that leaves ends the rows', async () => {
  async function* failing(): AsyncGenerator<Cell[][]> {
    yield [[1]];
    throw new Error('the disk is gone');
  }
  await expect(workbook(['a'], failing())).rejects.toThrow('the disk is gone');

  let ended = false;
  async function* endless(): AsyncGenerator<Cell[][]> {
    try {
      for (;;) yield Array.from({ length: 1000 }, () => [Math.random()]);
    } finally {
      ended = true;
    }
  }
  for await (const chunk of xlsx(['a'], endless())) if (chunk.length > 1000) break;
  while (!ended) await new Promise((resolve) => setTimeout(resolve, 1));
});
