import type { Series } from '@device-metrics/domain';
import type { SeriesSummary, Store } from '@device-metrics/storage';
import type { DeviceRhythms } from '../../devices/device-rhythms.js';
import type { ApiSettings } from '../../settings.js';
import { lastHours } from '../time-span.js';
import { fileName } from './file-name.js';
import { indexPage, type DeviceEntry } from './index-page.js';
import { LocalTime } from './local-time.js';
import { printReport } from './print-report.js';
import type { Patience } from './patience.js';
import type { OpenRun, ReportFolders } from './report-folders.js';

interface Watch {
  /** Gives the run up between two pages. */
  readonly signal: AbortSignal;
  /** With the store. */
  readonly patience: Patience;
  /** Of a page that could not be made; the others are. */
  readonly onFailure: (deviceName: string, error: unknown) => void;
}

/**
 * Writes a page for each device that has samples in the range, and an index; all of them can be seen at once, or none.
 *
 * @param now Unix milliseconds.
 * @returns the name of the run's folder, and how many pages it has besides the index.
 */
export async function writeRun(
  store: Store,
  rhythms: DeviceRhythms,
  folders: ReportFolders,
  { reports: { timeRange, timeZone }, maxQuerySamples }: Pick<ApiSettings, 'reports' | 'maxQuerySamples'>,
  now: number,
  { signal, patience, onFailure }: Watch,
): Promise<{ name: string; devices: number }> {
  const range = lastHours(timeRange, now);
  const known = await patience.with(() => store.findSeries({}));
  const entries = entriesOf(await patience.with(() => store.summarize(known, range)));
  const run = await folders.openRun(now);
  try {
    const devices: DeviceEntry[] = [];
    for (const entry of entries) {
      signal.throwIfAborted();
      const query = { device: entry.name, time_range: timeRange, timezone: timeZone };
      const page = (): Promise<AsyncIterable<string>> => printReport(store, rhythms, query, now, { maxQuerySamples });
      devices.push({ ...entry, file: await writePage(run, entry.name, page, patience, onFailure) });
    }
    const index = indexPage({
      range: { start: range.start, end: now },
      local: new LocalTime(timeZone),
      devices,
      silent: silentOf(known, devices),
    });
    return { name: await run.finish(index), devices: devices.filter(({ file }) => file !== undefined).length };
  } catch (error) {
    await run.discard();
    throw error;
  }
}

/** The name of the file; undefined where the page could not be made. That files can't be written ends the run. */
async function writePage(
  run: OpenRun,
  deviceName: string,
  page: () => Promise<AsyncIterable<string>>,
  patience: Patience,
  onFailure: Watch['onFailure'],
): Promise<string | undefined> {
  const file = fileName(deviceName);
  try {
    await patience.with(async () => run.write(file, await page()));
    return file;
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) throw error;
    onFailure(deviceName, error);
    return undefined;
  }
}

function entriesOf(summaries: readonly SeriesSummary[]): Omit<DeviceEntry, 'file'>[] {
  const byDevice = new Map<string, SeriesSummary[]>();
  for (const one of summaries) {
    const same = byDevice.get(one.series.deviceName);
    if (same) same.push(one);
    else byDevice.set(one.series.deviceName, [one]);
  }
  return Array.from(byDevice, ([name, same]) => ({
    name,
    metrics: new Set(same.map(({ series }) => series.metricName)).size,
    series: same.length,
    samples: same.reduce((sum, { summary }) => sum + summary.count, 0),
    lastTime: same.reduce((latest, { summary }) => Math.max(latest, summary.lastTime), -Infinity),
  }));
}

function silentOf(known: readonly Series[], devices: readonly DeviceEntry[]): string[] {
  const heard = new Set(devices.map(({ name }) => name));
  return [...new Set(known.map(({ deviceName }) => deviceName))].filter((name) => !heard.has(name));
}
