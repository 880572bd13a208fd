import { EARLIEST_TIMESTAMP, MAX_AHEAD } from '@device-metrics/contract';
import { inSlices, like, metricKind, Slices, type TimeRange } from '@device-metrics/domain';
import { refuseBeyond, type QueryLimit } from '@device-metrics/query';
import type { Store } from '@device-metrics/storage';
import { noDevice } from '../../http/no-device.js';
import { summaryRange } from '../time-span.js';
import type { DeviceRhythms } from '../../devices/device-rhythms.js';
import { aboutDevice } from './about-device.js';
import { charts } from './charts.js';
import { metricsOf } from './figures.js';
import { glance } from './glance.js';
import { inPrintOrder } from './order.js';
import { LocalTime } from './local-time.js';
import { PAGE_END, pageStart } from './page.js';
import type { PrintQuery } from './print-query.dto.js';
import { glanceTable, metricTable, reportHead } from './report-parts.js';

/**
 * One page about one device: what it is, how busy and full it is, a table of its metrics, then a chart of each that changes. It comes in pieces, and lets other work go
 * first between them.
 *
 * @param now Unix milliseconds.
 * @throws Problem when the device is unknown, parameters don't go together, or it would take too many samples.
 */
export async function printReport(
  store: Store,
  rhythms: DeviceRhythms,
  query: PrintQuery,
  now: number,
  limit: QueryLimit,
): Promise<AsyncIterable<string>> {
  const local = new LocalTime(query.timezone ?? 'UTC');
  const asked = summaryRange(query, now);
  const device = await store.device(query.device);
  if (!device) throw noDevice(query.device);
  const selected = await store.findSeries({ devices: [query.device], metrics: query.metric_name?.map(like) });
  const summaries = await store.summarize(selected, asked);
  // Counters are read sample by sample.
  let samples = 0;
  let newest = now;
  await inSlices(summaries, ({ series, summary: { count, lastTime } }) => {
    if (metricKind(series.metricName) === 'counter') samples += count;
    if (lastTime > newest) newest = lastTime;
  });
  refuseBeyond(limit, samples, 'time_range', 'ask for fewer counters by metric_name', asked);
  // Left open, the range reaches a little beyond now for clocks that are ahead; without such, it ends now.
  const range = { start: asked.start, end: query.end_time === undefined ? newest + 1 : asked.end };
  const charted = within(sinceFirst(range, device.firstTime), now);
  const metrics = charted ? inPrintOrder(await metricsOf(store, summaries, charted, limit)) : [];
  const about = await aboutDevice(store, rhythms, device, charted ?? range, now);
  return pieces();

  async function* pieces(): AsyncGenerator<string> {
    const slices = new Slices();
    yield pageStart(`${about.device.displayName ?? about.device.name}: metrics`).text;
    yield reportHead({ about, range, made: now, local, metrics, filter: query.metric_name }).text;
    if (charted && metrics.length > 0) {
      yield glanceTable(glance(metrics)).text;
      for (const piece of metricTable(metrics, local)) {
        yield piece.text;
        if (slices.isOver()) await slices.next();
      }
      for await (const piece of charts(store, metrics, charted, local)) {
        yield piece.text;
        await slices.next();
      }
    }
    yield PAGE_END.text;
  }
}

/** Of a new device without the time before it came: a chart of that is empty. */
const sinceFirst = ({ start, end }: TimeRange, firstTime = start): TimeRange => ({
  start: Math.max(start, Math.min(firstTime, end - 1)),
  end,
});

/** The part of a range in which there can be samples; undefined where there is none. */
function within({ start, end }: TimeRange, now: number): TimeRange | undefined {
  const possible = { start: Math.max(start, EARLIEST_TIMESTAMP), end: Math.min(end, now + MAX_AHEAD + 1) };
  return possible.start < possible.end ? possible : undefined;
}
