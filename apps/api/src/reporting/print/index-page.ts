import type { TimeRange } from '@device-metrics/domain';
import type { LocalTime } from './local-time.js';
import { markup } from './markup.js';
import { PAGE_END, pageStart } from './page.js';
import { count, counted } from './quantity.js';
import { facts } from './report-parts.js';

/** What the index says of a device with samples in the range. */
export interface DeviceEntry {
  readonly name: string;
  /** Of its page, beside the index; undefined where making it failed. */
  readonly file: string | undefined;
  readonly metrics: number;
  readonly series: number;
  readonly samples: number;
  /** Of the newest sample, Unix milliseconds. */
  readonly lastTime: number;
}

interface Index {
  readonly range: TimeRange;
  readonly local: LocalTime;
  readonly devices: readonly DeviceEntry[];
  /** Names of devices without samples in the range. */
  readonly silent: readonly string[];
}

/** The page of a run that leads to those of the devices. */
export function indexPage({ range, local, devices, silent }: Index): string {
  const sum = (of: (entry: DeviceEntry) => number): number => devices.reduce((total, entry) => total + of(entry), 0);
  const rows = devices.map(
    ({ name, file, metrics, series, samples, lastTime }) => markup`<tr>
<th scope="row">${file === undefined ? `${name} (its page could not be made; the log of the server says why)` : markup`<a href="${file}">${name}</a>`}</th>
<td class="number">${count(metrics)}</td><td class="number">${count(series)}</td><td class="number">${count(samples)}</td>
<td class="time">${local.dayAndMonth(lastTime)} ${local.clock(lastTime, true)}</td>
</tr>
`,
  );
  return markup`${pageStart('Devices: metrics')}<h1>Devices</h1>
${facts([
  ['From', local.dateAndTime(range.start)],
  ['To', local.dateAndTime(range.end)],
  ['Times are in', local.timeZone],
  [
    'Contents',
    `${counted(devices.length, 'device')}, ${count(sum(({ series }) => series))} series, ${counted(
      sum(({ samples }) => samples),
      'sample',
    )}`,
  ],
])}<table>
<thead><tr><th scope="col">Device</th><th scope="col" class="number">Metrics</th><th scope="col" class="number">Series</th><th scope="col" class="number">Samples</th><th scope="col" class="time">Last sample</th></tr></thead>
<tbody>
${rows}</tbody>
</table>
${silent.length === 0 ? '' : markup`<h2>Without samples in this time</h2>\n<ul>\n${silent.map((name) => markup`<li>${name}</li>\n`)}</ul>\n`}${PAGE_END}`
    .text;
}
