import { useInfiniteQuery } from '@tanstack/react-query';
import { metricDefinition } from '@device-metrics/domain';
import { Link } from 'wouter';
import { carried, useAddress, useTimeWindow } from '../../address.js';
import { addressOf, read, serverNow, type Query, type Schema } from '../../api.js';
import { useDeviceNames, useMetrics } from '../../data/use-names.js';
import { Chosen, Picker } from '../../parts/picker.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { TimeBar } from '../../parts/time-bar.js';
import { useTitle } from '../../parts/use-title.js';
import { boundsOf, timeText, type TimeWindow, type Zone } from '../../time-window.js';
import { formatterOf } from '../../units.js';
import { RowSpark } from './row-spark.js';
import './summary.css';

type Row = Schema<'SummaryRowDto'>;

/** Rows of one page. */
const PAGE = 100;
const DEFAULT_LENGTH = '24h';

/** What the address asks for. */
interface Question {
  readonly devices: readonly string[];
  readonly metrics: readonly string[];
  readonly tags: readonly string[];
  readonly sort: string | undefined;
  readonly quantile: boolean;
}

const summaryQuery = ({ devices, metrics, tags, sort, quantile }: Question, start: number, end: number): Query => ({
  device_name: devices,
  metric_name: metrics,
  tag: tags,
  group_by: ['device', 'label'],
  start_time: new Date(start).toISOString(),
  end_time: new Date(end).toISOString(),
  sort,
  ...(quantile && { quantile: ['p95'] }),
});

/** Count, least, mean, most and last of every series over a time. */
export default function Summary() {
  useTitle('Summary');
  const address = useAddress();
  const { window, zone } = useTimeWindow(DEFAULT_LENGTH);
  const question: Question = {
    devices: address.all('device'),
    metrics: address.all('metric'),
    tags: address.all('tag'),
    sort: address.get('sort'),
    quantile: address.get('p95') === '1',
  };
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage, isFetching } = useInfiniteQuery({
    queryKey: ['summary', question, window],
    initialPageParam: undefined as { cursor: string; start: number; end: number } | undefined,
    staleTime: 60_000,
    queryFn: async ({ signal, pageParam }) => {
      // The pages of one answer are about one time.
      const { start, end } = pageParam ?? boundsOf(window, serverNow());
      const query = { ...summaryQuery(question, start, end), limit: String(PAGE), cursor: pageParam?.cursor };
      return { ...(await read('/api/v1/reports/summary', query as Query, { signal })), start, end };
    },
    getNextPageParam: ({ next_cursor, start, end }) =>
      next_cursor === undefined ? undefined : { cursor: next_cursor, start, end },
  });
  const rows = data?.pages.flatMap(({ summaries }) => summaries) ?? [];
  const file = (format: string): string => {
    const { start, end } = boundsOf(window, serverNow());
    return addressOf('/api/v1/reports/summary', { ...summaryQuery(question, start, end), format });
  };
  return (
    <>
      <div className="page-head">
        <h1 className="grow">Summary</h1>
        <div className="bar no-print">
          <a className="button" href={file('csv')} download>
            CSV
          </a>
          <a className="button" href={file('xlsx')} download>
            Excel
          </a>
          <button type="button" className="button" onClick={() => globalThis.print()}>
            Print
          </button>
        </div>
      </div>
      <div className="controls no-print">
        <Filters question={question} />
        <TimeBar fallback={DEFAULT_LENGTH} />
      </div>
      <PrintedSpan window={window} zone={zone} rows={hasNextPage ? rows.length : undefined} />
      {error && !data ? (
        <ProblemNotice what="The summary could not be read." error={error} onRetry={() => void refetch()} />
      ) : (
        <div className="panel summary-room" aria-busy={isFetching}>
          <Rows rows={rows} question={question} window={window} zone={zone} />
          {data && rows.length === 0 && <p className="soft empty">No samples in this time.</p>}
        </div>
      )}
      {hasNextPage && (
        <p className="more-rows no-print">
          <button type="button" className="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {isFetchingNextPage ? 'Loading…' : `${PAGE} more`}
          </button>
        </p>
      )}
    </>
  );
}

/** The time in words, which paper needs and the controls say otherwise; and how many rows it has, where there are more. */
function PrintedSpan({ window, zone, rows }: { window: TimeWindow; zone: Zone; rows: number | undefined }) {
  const { start, end } = boundsOf(window, serverNow());
  return (
    <p className="print-only">
      {timeText(start, zone, false)} to {timeText(end, zone, false)}
      {rows !== undefined && `; the first ${rows} rows, the files have all`}
    </p>
  );
}

function Filters({ question }: { question: Question }) {
  const { set } = useAddress();
  const metrics = useMetrics();
  const { names, tags } = useDeviceNames();
  const add = (name: string, values: readonly string[], value: string): void =>
    set({ [name]: [...new Set([...values, value])] });
  const remove = (name: string, values: readonly string[], value: string): void =>
    set({ [name]: values.filter((each) => each !== value) });
  return (
    <div className="bar">
      <Picker
        label="Add a device"
        placeholder="All devices; a name, or lab-*"
        options={names}
        onPick={(device) => add('device', question.devices, device)}
      />
      <Picker
        label="Add a metric"
        placeholder="All metrics; a name, or system.*"
        options={metrics.map(({ metric_name }) => metric_name)}
        onPick={(metric) => add('metric', question.metrics, metric)}
      />
      {tags.length > 0 && (
        <Picker
          label="Add a tag"
          placeholder="Tag, as room=lab"
          options={tags}
          onPick={(tag) => add('tag', question.tags, tag)}
        />
      )}
      <label className="inline-label">
        <input
          type="checkbox"
          checked={question.quantile}
          onChange={({ target }) => set({ p95: target.checked ? '1' : undefined })}
        />
        <span>95th percentile</span>
      </label>
      <Chosen values={question.devices} what="device" onRemove={(value) => remove('device', question.devices, value)} />
      <Chosen values={question.metrics} what="metric" onRemove={(value) => remove('metric', question.metrics, value)} />
      <Chosen values={question.tags} what="tag" onRemove={(value) => remove('tag', question.tags, value)} />
    </div>
  );
}

const COLUMNS: readonly (readonly [key: string, title: string])[] = [
  ['count', 'Samples'],
  ['min', 'Min'],
  ['mean', 'Mean'],
  ['max', 'Max'],
  ['last', 'Last'],
];

interface RowsProps {
  readonly rows: readonly Row[];
  readonly question: Question;
  readonly window: TimeWindow;
  readonly zone: Zone;
}

function Rows({ rows, question, window, zone }: RowsProps) {
  return (
    <table className="plain summary cards">
      <thead>
        <tr>
          <Head column="device_name" title="Device" sort={question.sort} />
          <Head column="metric_name" title="Metric" sort={question.sort} />
          {COLUMNS.map(([column, title]) => (
            <Head key={column} column={column} title={title} sort={question.sort} number />
          ))}
          {question.quantile && (
            <th scope="col" className="number">
              95 %
            </th>
          )}
          <th scope="col" className="no-print">
            Course
          </th>
          <Head column="last_time" title="Last time" sort={question.sort} number />
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <SummaryRow
            key={`${row.device_name} ${row.metric_name} ${JSON.stringify(row.labels)}`}
            row={row}
            quantile={question.quantile}
            window={window}
            zone={zone}
          />
        ))}
      </tbody>
    </table>
  );
}

function SummaryRow({ row, quantile, window, zone }: { row: Row; quantile: boolean; window: TimeWindow; zone: Zone }) {
  const format = formatterOf(row.unit ?? metricDefinition(row.metric_name)?.unit, row.metric_name);
  const labels = Object.entries(row.labels ?? {});
  return (
    <tr>
      <td className="name whole-line">
        <Link
          href={`/devices/${encodeURIComponent(row.device_name ?? '')}${carried(new URLSearchParams(location.search))}`}
        >
          <bdi>{row.device_name}</bdi>
        </Link>
      </td>
      <td className="name whole-line">
        <bdi>{row.metric_name}</bdi>
        {labels.length > 0 && (
          <div className="soft labels">{labels.map(([name, value]) => `${name}=${value}`).join(' ')}</div>
        )}
      </td>
      <td className="number" data-head="Samples">
        {row.count.toLocaleString('en')}
      </td>
      <td className="number" data-head="Min">
        {format(row.min)}
      </td>
      <td className="number" data-head="Mean">
        {format(row.mean)}
      </td>
      <td className="number" data-head="Max">
        {format(row.max)}
      </td>
      <td className="number" data-head="Last">
        {format(row.last)}
      </td>
      {quantile && (
        <td className="number" data-head="95 %">
          {format(row.quantiles?.['p95'])}
        </td>
      )}
      <td className="no-print" data-head="Course">
        <RowSpark row={row} window={window} />
      </td>
      <td className="number soft whole-line">{timeText(Date.parse(row.last_time), zone)}</td>
    </tr>
  );
}

function Head({
  column,
  title,
  sort,
  number = false,
}: {
  column: string;
  title: string;
  sort: string | undefined;
  number?: boolean;
}) {
  const { set } = useAddress();
  const descending = sort === `-${column}`;
  const sorted = descending || sort === column;
  const next = number ? (descending ? column : `-${column}`) : sort === column ? `-${column}` : column;
  return (
    <th
      scope="col"
      className={number ? 'number' : undefined}
      aria-sort={sorted ? (descending ? 'descending' : 'ascending') : undefined}
    >
      <button type="button" className="sort" data-sorted={sorted || undefined} onClick={() => set({ sort: next })}>
        {title} <span aria-hidden="true">{sorted ? (descending ? '↓' : '↑') : ''}</span>
      </button>
    </th>
  );
}
