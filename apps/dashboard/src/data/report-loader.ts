import { addressOf, read, type Schema } from '../api.js';

type Report = Schema<'DeviceReportDto'>;

/** What a chart asks of a device: `metric_name` and `aggregation` are lists, the rest is equal for all charts of a page. */
export interface ReportQuery {
  readonly metric_name: readonly string[];
  readonly aggregation: readonly string[];
  readonly [name: string]: string | readonly string[] | undefined;
}

interface Asking {
  readonly query: ReportQuery;
  readonly signal: AbortSignal;
  readonly resolve: (report: Report) => void;
  readonly reject: (reason: unknown) => void;
}

/** Charts that ask within this time share a call, ms. */
const GATHER = 4;
/** Characters of an address: what servers and proxies surely take. */
const MAX_ADDRESS = 6_000;

const gathered = new Map<string, Asking[]>();

/**
 * A device report. Charts that ask at one time for one stretch of a device share a call: its hours are read once for all of
 * them. Who wants the mean alone gets it from a call that has more.
 */
export function readReport(device: string, query: ReportQuery, signal: AbortSignal): Promise<Report> {
  const { metric_name: metrics, aggregation, ...rest } = query;
  // A name with a star would mean others too.
  const isAlone = metrics.some((name) => name.includes('*'));
  const key = JSON.stringify([device, aggregation[0], rest, ...(isAlone ? metrics : [])]);
  return new Promise((resolve, reject) => {
    const group = gathered.get(key);
    const asking = { query, signal, resolve, reject };
    if (group && addressOf(device, whole([...group, asking])).length < MAX_ADDRESS) return void group.push(asking);
    const fresh = [asking];
    gathered.set(key, fresh);
    setTimeout(() => {
      if (gathered.get(key) === fresh) gathered.delete(key);
      void readFor(device, fresh);
    }, GATHER);
  });
}

/** One query that answers all. */
function whole(group: readonly Asking[]): ReportQuery {
  const [longest] = group.map(({ query }) => query).sort((a, b) => b.aggregation.length - a.aggregation.length);
  return {
    ...(longest as ReportQuery),
    metric_name: [...new Set(group.flatMap(({ query }) => query.metric_name))],
  };
}

async function readFor(device: string, group: readonly Asking[]): Promise<void> {
  const aborter = new AbortController();
  const stopIfUnwanted = (): void => {
    if (group.every(({ signal }) => signal.aborted)) aborter.abort();
  };
  for (const { signal } of group) signal.addEventListener('abort', stopIfUnwanted);
  stopIfUnwanted();
  try {
    const query = whole(group);
    const names = { device_name: device };
    const asked = query as { metric_name: string[]; aggregation: string[] };
    const report = await read('/api/v1/reports/metrics/{device_name}', asked, { signal: aborter.signal, names });
    for (const { query: own, resolve } of group) resolve(partOf(report, own, query));
  } catch (error) {
    for (const { reject } of group) reject(error);
  }
}

function partOf(report: Report, { metric_name: names, aggregation }: ReportQuery, asked: ReportQuery): Report {
  const own = names.some((name) => name.includes('*'))
    ? report.series
    : report.series.filter(({ metric_name }) => names.includes(metric_name));
  if (aggregation.length === asked.aggregation.length) return { ...report, series: own };
  const columns = 1 + aggregation.length;
  return {
    ...report,
    series: own.map((one) => ({ ...one, samples: one.samples.map((row) => row.slice(0, columns)) })),
  };
}
