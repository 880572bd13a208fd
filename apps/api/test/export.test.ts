import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createInflateRaw } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Server, temporaryFolder } from './server.js';
import { entries } from './workbook.js';

/** Samples of the series: `npm test` looks that every row is there, `npm run test:long` at the memory of very many. */
const LONG = process.env['DEVICE_METRICS_LONG'] ? 10_000_000 : 60_000;
const GAP = 1_000;
const PER_BATCH = Math.min(LONG, 200_000);
const MIB = 2 ** 20;

let server: Server;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
  const settings = { RETENTION_RAW: '0', RETENTION_HOURLY: '0' };
  server = await Server.start({ DATABASE_PATH: join(folder.path, 'metrics.db'), ...settings });
  const start = Math.floor(Date.now() / 1000) * 1000 - (LONG + 60) * GAP;
  for (let from = 0; from < LONG; from += PER_BATCH) {
    const samples = Array.from({ length: PER_BATCH }, (_, i) => [start + (from + i) * GAP, ((from + i) % 1000) / 10]);
    const { body } = await server.post('/api/v1/aggregator/metrics/batch/', [
      { device_name: 'long', metric_name: 'load', labels: { cpu: '0' }, samples },
    ]);
    expect(body.rejected).toEqual([]);
  }
}, 600_000);
afterAll(async () => {
  await server.stop();
  await folder.remove();
});

const open = (query: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    get(`${server.url}/api/v1/reports/metrics/long?start_time=0&${query}`, resolve).on('error', reject);
  });

const memory = async (): Promise<number> => (await server.metric('process_resident_memory_bytes')) / MIB;

/** How often `mark` occurs, in whatever pieces the text comes. */
async function countIn(chunks: AsyncIterable<Buffer>, mark: string): Promise<number> {
  let count = 0;
  let before = Buffer.alloc(0);
  for await (const chunk of chunks) {
    const text = Buffer.concat([before, chunk]);
    for (let at = text.indexOf(mark); at >= 0; at = text.indexOf(mark, at + mark.length)) count += 1;
    before = text.subarray(text.length - mark.length + 1);
  }
  return count;
}

describe('a report of very many samples leaves with flat memory, every row of it,', () => {
  let before: number;
  let largest: number;

  /** Passes the answer on and looks at the server's memory the while. */
  async function* watched(answer: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let look = performance.now();
    for await (const chunk of answer) {
      yield chunk;
      if (performance.now() < look) continue;
      largest = Math.max(largest, await memory());
      look = performance.now() + 200;
    }
  }

  beforeAll(async () => {
    // What any report needs is there once one has been read.
    await countIn(await open('format=csv&limit=100000'), '\n');
    before = await memory();
    largest = before;
  });
  // What is kept grows by 80 MiB at the most, on each Node. On top comes V8's space for new objects, which before the first long
  // report is as small as it begins: it grows to 32 MiB on Node 20, and to 128 on Node 24 (to 32 there too under
  // --max-semi-space-size=16).
  afterEach(() => expect(largest - before).toBeLessThan(150));

  it.each([
    // The other brackets open columns, series and samples.
    ['json', '[', LONG + 3],
    ['csv', '\r\n', LONG + 1],
    ['ndjson', '"value":', LONG],
  ])(
    'as %s',
    async (format, mark, count) => {
      expect(await countIn(watched(await open(`format=${format}`)), mark)).toBe(count);
    },
    600_000,
  );

  it('as xlsx', async () => {
    const chunks: Buffer[] = [];
    for await (const chunk of watched(await open('format=xlsx'))) chunks.push(chunk);
    let rows = 0;
    let sheets = 0;
    for (const [name, deflated] of entries(Buffer.concat(chunks))) {
      if (!name.includes('/sheet')) continue;
      sheets += 1;
      rows += await countIn(Readable.from([deflated]).pipe(createInflateRaw()), '<row ');
    }
    expect(rows).toBe(LONG + sheets);
    expect(sheets).toBe(Math.ceil(LONG / 1_048_575));
  }, 600_000);
});
