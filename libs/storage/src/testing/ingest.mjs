/**
 * Sends samples to a store in a process of its own, which a test may kill. Writes a line of JSON for each batch that was
 * acknowledged, and for what it found at the start.
 *
 *     node ingest.mjs <database> <first sample> <samples> <batch> [settings as JSON] [one-hour]
 */
import { dataSourceOptions, openSampleStore } from '@device-metrics/storage';
import { writeSync } from 'node:fs';
import { DataSource } from 'typeorm';
import { sampleAt, sampleInOneHour, TIME_STEP } from './numbered-samples.mjs';

const [path, first, count, batch] = [process.argv[2], ...process.argv.slice(3, 6).map(Number)];
const settings = JSON.parse(process.argv[6] ?? '{}');
const numbered = process.argv[7] === 'one-hour' ? sampleInOneHour : sampleAt;
const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`);

// The clock goes with the samples, so that hours end and are sealed on the way.
let now = numbered(first).timestamp;
const dataSource = await new DataSource(dataSourceOptions(path)).initialize();
const store = await openSampleStore(dataSource, { now: () => now, sealInterval: 5, sealDelay: 0, ...settings });

const range = { start: 0, end: Date.UTC(2100, 0) };
const summaries = await store.summarize(await store.findSeries({}), range);
say({ found: summaries.reduce((sum, { summary }) => sum + summary.count, 0) });

for (let sent = first; sent < first + count; sent += batch) {
  const samples = Array.from({ length: batch }, (_, index) => numbered(sent + index));
  now = samples[0].timestamp + TIME_STEP;
  await store.append(samples);
  const { headSamples } = await store.health();
  say({ acknowledged: sent + batch, headSamples, rss: process.memoryUsage().rss });
}
await store.close();
await dataSource.destroy();
