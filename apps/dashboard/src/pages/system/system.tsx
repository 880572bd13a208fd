import { useIsFetching, useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { Link } from 'wouter';
import { useTimeWindow } from '../../address.js';
import { read } from '../../api.js';
import { DeviceChart } from '../../charts/device-chart.js';
import type { ChartSpec } from '../../data/chart-specs.js';
import { useMay } from '../../data/session.js';
import { serverMetrics, type ServerMetrics } from '../../data/server-metrics.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { TimeBar } from '../../parts/time-bar.js';
import { useNow } from '../../parts/use-now.js';
import { useTitle } from '../../parts/use-title.js';
import { ago, duration, formatterOf } from '../../units.js';
import { Collectors } from './collectors.js';
import { Configurations } from './configurations.js';
import './system.css';

/** How often the api is asked how it is, ms. */
const EVERY = 5_000;
/** The same for the second time: a rate is between two answers. */
const SECOND = 1_000;

const bytes = formatterOf('By');
const perSecond = formatterOf('{sample}/s');
const whole = (value: number | undefined): string =>
  value === undefined ? '–' : Math.round(value).toLocaleString('en');

/** What the api says of itself, when that was by `performance.now()`, and samples per second since the answer before. */
interface Metrics {
  readonly metrics: ServerMetrics;
  readonly at: number;
  readonly rate: number | undefined;
}

/** How the api and its collectors are. */
export default function System() {
  useTitle('System');
  const metrics = useQuery<Metrics>({
    queryKey: ['system-metrics'],
    refetchInterval: ({ state }) => (state.data?.rate === undefined ? SECOND : EVERY),
    queryFn: async ({ signal, client, queryKey }) => {
      const now = { metrics: serverMetrics(await read('/metrics', {}, { signal })), at: performance.now() };
      const before = client.getQueryData<Metrics>(queryKey);
      return { ...now, rate: before && rateOf(before, now) };
    },
  });
  const status = useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => read('/api/v1/admin/status', {}, { signal }),
    staleTime: 60_000,
  });
  const server = metrics.data?.metrics;
  const mayBackUp = useMay('server:backup');
  // The parts stand below each other: they come at once, so that none is pushed down.
  const pending = useIsFetching({ predicate: ({ state }) => state.status === 'pending' });
  const [ready, setReady] = useState(false);
  if (!ready && metrics.isFetched && pending === 0) setReady(true);
  return (
    <>
      <div className="page-head">
        <h1 className="grow">System</h1>
        <a className="button" href="/docs">
          All calls
        </a>
        {mayBackUp && (
          <a className="button primary" href="/api/v1/admin/backup" download>
            Back up now
          </a>
        )}
      </div>
      <div hidden={!ready} aria-busy={!ready}>
        {metrics.error && !metrics.data && (
          <ProblemNotice
            what="The api did not say how it is."
            error={metrics.error}
            onRetry={() => void metrics.refetch()}
          />
        )}
        {server && (
          <dl className="facts-grid">
            <Fact
              name="Samples stored"
              value={perSecond(metrics.data?.rate)}
              note={`${whole(server.sum('device_metrics_samples_stored_total'))} since the start`}
            />
            <Refused server={server} />
            <Fact
              name="Database"
              value={bytes(server.sum('device_metrics_store_file_bytes'))}
              note={`${bytes(server.sum('device_metrics_store_free_bytes'))} of it free to use`}
            />
            <BytesPerSample
              file={
                (server.sum('device_metrics_store_file_bytes') ?? 0) -
                (server.sum('device_metrics_store_free_bytes') ?? 0)
              }
            />
            <Fact
              name="Devices"
              value={whole(server.sum('device_metrics_store_devices'))}
              note={`${whole(server.sum('device_metrics_store_series'))} series`}
            />
            <Fact
              name="Open in memory"
              value={whole(server.sum('device_metrics_store_head_samples'))}
              note={`samples; ${bytes(server.sum('device_metrics_store_journal_bytes'))} in the journal`}
            />
            <Damaged count={server.sum('device_metrics_store_damaged') ?? 0} />
            <Uptime
              since={(server.sum('process_start_time_seconds') ?? NaN) * 1000}
              memory={server.sum('process_resident_memory_bytes')}
              version={status.data?.version}
            />
            {status.data && (
              <Fact
                name="Samples are kept"
                value={keptText(status.data.retention_raw)}
                note={`hourly values ${keptText(status.data.retention_hourly)}`}
              />
            )}
          </dl>
        )}
        <Collectors />
        <Configurations />
        <ApiCharts />
      </div>
    </>
  );
}

const keptText = (milliseconds: number): string => (milliseconds === 0 ? 'for ever' : duration(milliseconds / 1000));

function rateOf(before: Omit<Metrics, 'rate'>, now: Omit<Metrics, 'rate'>): number | undefined {
  const stored = ({ metrics }: Omit<Metrics, 'rate'>): number =>
    metrics.sum('device_metrics_samples_stored_total') ?? 0;
  const grown = stored(now) - stored(before);
  // The api has started again meanwhile.
  return grown < 0 ? undefined : (grown / (now.at - before.at)) * 1000;
}

function Fact({ name, value, note, bad = false }: { name: string; value: string; note?: string; bad?: boolean }) {
  return (
    <div className="fact panel">
      <dt>{name}</dt>
      <dd className={bad ? 'bad-text' : undefined}>{value}</dd>
      {note !== undefined && <dd className="note">{note}</dd>}
    </div>
  );
}

/** What the gate has refused, by reason where the api tells reasons apart. */
function Refused({ server }: { server: ServerMetrics }) {
  const reasons = server
    .series('device_metrics_items_rejected_total')
    .filter(({ value }) => value > 0)
    .map(({ labels, value }) => `${Object.values(labels).join(' ') || 'all'} ${whole(value)}`);
  const refused = server.sum('device_metrics_items_rejected_total') ?? 0;
  return (
    <Fact
      name="Refused"
      value={whole(refused)}
      note={refused === 0 ? 'since the start' : `${reasons.join(', ')}; the collector's quarantine says why`}
      bad={refused > 0}
    />
  );
}

function Damaged({ count }: { count: number }) {
  return (
    <Fact
      name="Damaged data"
      value={count === 0 ? 'none' : `${whole(count)} pieces`}
      bad={count > 0}
      note={count === 0 ? 'every piece could be read' : 'set aside: their samples are lost'}
    />
  );
}

function Uptime({
  since,
  memory,
  version,
}: {
  since: number;
  memory: number | undefined;
  version: string | undefined;
}) {
  const now = useNow();
  return (
    <Fact
      name="Api runs for"
      value={ago(now - since)}
      note={`${version === undefined ? '' : `version ${version}, `}${bytes(memory)} of memory`}
    />
  );
}

/** Counting all samples reads what is known of every hour, so it is done when asked for. */
function BytesPerSample({ file }: { file: number }) {
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['count-samples'],
    enabled: false,
    staleTime: Infinity,
    queryFn: async ({ signal }) => {
      const { devices } = await read('/api/v1/devices', {}, { signal });
      const first = devices.map(({ first_seen = 'now' }) => first_seen).reduce((a, b) => (a < b ? a : b), 'now');
      if (first === 'now') return 0;
      const query = { start_time: first, end_time: 'now', group_by: ['metric'] };
      const { summaries } = await read('/api/v1/reports/summary', query, { signal });
      return summaries.reduce((sum, { count }) => sum + count, 0);
    },
  });
  if (data !== undefined) {
    return (
      <Fact
        name="Bytes per sample"
        value={data === 0 ? '–' : (file / data).toFixed(2)}
        note={`${whole(data)} samples in all`}
      />
    );
  }
  return (
    <div className="fact panel">
      <dt>Bytes per sample</dt>
      <dd>
        <button type="button" className="button small" disabled={isFetching} onClick={() => void refetch()}>
          {isFetching ? 'Counting…' : 'Count the samples'}
        </button>
      </dd>
      <dd className="note">{error ? error.message : 'reads every hour once'}</dd>
    </div>
  );
}

const chart = (title: string, metric: string, unit: string, rate = true): ChartSpec => ({
  id: metric,
  title,
  metrics: [metric],
  unit,
  show: 'lines',
  rate,
});
const CHARTS: readonly ChartSpec[] = [
  chart('Samples stored', 'device_metrics_samples_stored_total', '{sample}/s'),
  chart('Items refused', 'device_metrics_items_rejected_total', '{item}/s'),
  chart('Database', 'device_metrics_store_file_bytes', 'By', false),
  chart('CPU of the api', 'process_cpu_seconds_total', 's/s'),
];

/** How it was, where a collector reads this api as a device. */
function ApiCharts() {
  const { window, zone, setWindow } = useTimeWindow('6h');
  const { data } = useQuery({
    queryKey: ['latest', 'api-device'],
    queryFn: ({ signal }) =>
      read('/api/v1/reports/latest', { metric_name: ['device_metrics_samples_stored_total'] }, { signal }),
    staleTime: 60_000,
  });
  const zoom = useCallback(
    (start: number, end: number) => setWindow({ kind: 'fixed', start: Math.round(start), end: Math.round(end) }),
    [setWindow],
  );
  const device = data?.samples[0]?.device_name;
  if (device === undefined) return null;
  return (
    <section className="system-section">
      <div className="bar">
        <h2>
          Over time, as <Link href={`/devices/${encodeURIComponent(device)}`}>{device}</Link>
        </h2>
        <TimeBar fallback="6h" />
      </div>
      <div className="charts">
        {CHARTS.map((spec) => (
          <DeviceChart
            key={spec.id}
            device={device}
            interval={30_000}
            spec={spec}
            window={window}
            zone={zone}
            onZoom={zoom}
          />
        ))}
      </div>
    </section>
  );
}
