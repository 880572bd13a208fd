import { useQuery, useQueryClient, type UseQueryResult } from '@tanstack/react-query';
import { serverNow, type Schema } from '../api.js';
import { boundsOf, lengthOf, stepFor, stepText, zoneName, type TimeWindow, type Zone } from '../time-window.js';
import { readReport, type ReportQuery } from './report-loader.js';

type Report = Schema<'DeviceReportDto'>;

/** A device report as a chart needs it. */
export interface ReportWish {
  readonly device: string;
  readonly metrics: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly aggregations: readonly string[];
  readonly window: TimeWindow;
  readonly zone: Zone;
  /** How many steps a chart shows at the most, about. */
  readonly points: number;
  /** Usual time between readings of the device, ms. */
  readonly interval: number | undefined;
}

/** A report, and from when on it was asked for. */
export interface WindowReport {
  readonly report: Report;
  readonly start: number;
  readonly end: number;
}

/** The key of everything that moves with time, of a device. */
export const liveKey = (device: string): readonly string[] => ['report', device, 'live'];

const stepOfWish = ({ window, points, interval }: ReportWish): number => stepFor(lengthOf(window), points, interval);

/** The parameters of the call. */
export function reportQuery(wish: ReportWish, start: number, end: number): ReportQuery {
  const step = stepOfWish(wish);
  return {
    metric_name: wish.metrics,
    ...(wish.labels && { label: Object.entries(wish.labels).map(([name, value]) => `${name}=${value}`) }),
    start_time: new Date(start).toISOString(),
    end_time: new Date(end).toISOString(),
    step: stepText(step),
    aggregation: wish.aggregations,
    ...(step % 86_400_000 === 0 && wish.zone === 'local' && { timezone: zoneName('local') }),
  };
}

/**
 * The report of a chart. One that moves with time is asked for whole once, and then only for its newest steps, whenever
 * `liveKey` is invalidated.
 */
export function useReport(wish: ReportWish, enabled: boolean): UseQueryResult<WindowReport> {
  const client = useQueryClient();
  const { window } = wish;
  const live = window.kind === 'live';
  const { metrics, labels, aggregations, zone } = wish;
  const what = { metrics, labels, aggregations, zone, step: stepOfWish(wish) };
  const queryKey = live
    ? [...liveKey(wish.device), window.length, what]
    : ['report', wish.device, 'fixed', window.start, window.end, what];
  return useQuery<WindowReport>({
    queryKey,
    enabled,
    staleTime: live ? 30_000 : Infinity,
    // Until the numbers of another stretch are here, those before stay; never those of another device.
    placeholderData: (before) => (before?.report.device_name === wish.device ? before : undefined),
    queryFn: async ({ signal }): Promise<WindowReport> => {
      // To the second, so that charts that ask at one time ask for one stretch.
      const { start, end } = boundsOf(window, Math.ceil(serverNow() / 1000) * 1000);
      const before = live ? client.getQueryData<WindowReport>(queryKey) : undefined;
      const step = stepOfWish(wish);
      const from = before ? tailStart(before, step) : start;
      const part = before !== undefined && from > start;
      const report = await readReport(wish.device, reportQuery(wish, part ? from : start, end), signal);
      return { report: part ? joined(before.report, report, start - step) : report, start, end };
    },
  });
}

/** The newest two steps may still have grown. */
const tailStart = ({ end }: WindowReport, step: number): number => Math.floor(end / step) * step - step;

/** The report before with the newer steps of `tail`, from `start` on. */
export function joined(before: Report, tail: Report, start: number): Report {
  const keyOf = ({ metric_name, labels }: Report['series'][number]): string =>
    `${metric_name} ${JSON.stringify(labels)}`;
  const newer = new Map(tail.series.map((series) => [keyOf(series), series]));
  const from = tail.start_time;
  const since = new Date(start).toISOString();
  const series = before.series.map((each) => {
    const more = newer.get(keyOf(each))?.samples ?? [];
    newer.delete(keyOf(each));
    const kept = each.samples.filter(([time]) => String(time) >= since && String(time) < from);
    return { ...each, samples: [...kept, ...more] };
  });
  return { ...before, ...tail, series: [...series, ...newer.values()].filter(({ samples }) => samples.length > 0) };
}
