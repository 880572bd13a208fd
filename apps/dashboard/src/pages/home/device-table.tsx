import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { memo, useLayoutEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import { carried, useSearchParams } from '../../address.js';
import { Spark } from '../../charts/spark.js';
import { FIGURE_METRICS, silentSince, type Figure, type FleetDevice } from '../../data/fleet.js';
import { useFleetDevice } from '../../data/use-fleet.js';
import { Status } from '../../parts/status.js';
import { useNarrow } from '../../parts/use-narrow.js';
import { useNow } from '../../parts/use-now.js';
import { ago, formatterOf } from '../../units.js';
import { nameOf, type Row } from './arrange.js';

export const COLUMNS: readonly (readonly [key: string, title: string, className: string])[] = [
  ['name', 'Device', ''],
  ['status', 'Status', 'col-status'],
  ['cpu', 'CPU', 'col-figure'],
  ['memory', 'Memory', 'col-figure'],
  ['disk', 'Fullest disk', 'col-figure'],
  ['temperature', 'Temperature', 'col-figure'],
  ['seen', 'Last seen', 'col-seen'],
];
const LARGEST_FIRST = new Set(['cpu', 'memory', 'disk', 'temperature', 'seen']);
/** How a column is sorted at first: what is interesting comes first, the largest figures and the newest readings. */
export const firstSort = (column: string): string => (LARGEST_FIRST.has(column) ? `-${column}` : column);
const ROW = 46;
const NARROW_ROW = 116;
const GROUP = 38;

/** Every device in a row; only the rows in view are in the document. */
export function DeviceTable({
  rows,
  sort,
  onSort,
}: {
  rows: readonly Row[];
  sort: string;
  onSort: (sort: string) => void;
}) {
  const narrow = useNarrow();
  const table = useRef<HTMLTableElement>(null);
  const [top, setTop] = useState(0);
  useLayoutEffect(() => setTop(table.current?.offsetTop ?? 0), [rows.length]);
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: (index) => (rows[index]?.kind === 'group' ? GROUP : narrow ? NARROW_ROW : ROW),
    overscan: 12,
    scrollMargin: top,
    getItemKey: (index) => keyOf(rows[index]),
  });
  useLayoutEffect(() => virtual.measure(), [virtual, narrow, rows]);
  const items = virtual.getVirtualItems();
  const before = (items[0]?.start ?? top) - top;
  const after = virtual.getTotalSize() - ((items.at(-1)?.end ?? top) - top);
  return (
    <div className="panel">
      <table className="devices" ref={table} role="table" aria-rowcount={rows.length + 1} aria-label="Devices">
        <thead role="rowgroup">
          <tr role="row" aria-rowindex={1}>
            {COLUMNS.map(([key, title, className]) => (
              <SortHead key={key} column={key} title={title} className={className} sort={sort} onSort={onSort} />
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          <Space height={before} />
          {items.map(({ index, key }) => {
            const row = rows[index];
            if (row?.kind === 'group') return <GroupRow key={key} row={row} index={index} />;
            return row && <DeviceRow key={key} name={row.name} index={index} />;
          })}
          <Space height={after} />
        </tbody>
      </table>
    </div>
  );
}

const keyOf = (row: Row | undefined): string => (row?.kind === 'group' ? `group ${row.title}` : `device ${row?.name}`);

function Space({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr className="space" aria-hidden="true">
      <td colSpan={COLUMNS.length} style={{ height }} />
    </tr>
  );
}

function SortHead({
  column,
  title,
  className,
  sort,
  onSort,
}: {
  column: string;
  title: string;
  className: string;
  sort: string;
  onSort: (sort: string) => void;
}) {
  const descending = sort === `-${column}`;
  const sorted = descending || sort === column;
  const other = descending ? column : `-${column}`;
  return (
    <th
      scope="col"
      role="columnheader"
      className={className}
      aria-sort={sorted ? (descending ? 'descending' : 'ascending') : undefined}
    >
      <button
        type="button"
        className="sort"
        data-sorted={sorted || undefined}
        onClick={() => onSort(sorted ? other : firstSort(column))}
      >
        {title} <span aria-hidden="true">{sorted ? (descending ? '↓' : '↑') : ''}</span>
      </button>
    </th>
  );
}

function GroupRow({ row, index }: { row: Row & { kind: 'group' }; index: number }) {
  return (
    <tr className="group" role="row" aria-rowindex={index + 2}>
      <th colSpan={COLUMNS.length} scope="rowgroup" role="rowheader">
        <bdi>{row.title}</bdi> <span className="soft">{row.count}</span>
      </th>
    </tr>
  );
}

/** One device; drawn again only when that device has changed. */
const DeviceRow = memo(function DeviceRow({ name, index }: { name: string; index: number }) {
  const shown = useFleetDevice(name);
  const [parameters] = useSearchParams();
  if (!shown) return null;
  const { device } = shown;
  const tags = Object.entries(device.tags);
  return (
    <tr className="device" role="row" aria-rowindex={index + 2}>
      <td className="name" role="cell">
        <Link href={`/devices/${encodeURIComponent(name)}${carried(parameters)}`} title={name}>
          <bdi>{nameOf(shown)}</bdi>
        </Link>
        {(device.display_name !== undefined || tags.length > 0) && (
          <div className="below" title={[name, ...tags.map(([tag, value]) => `${tag}=${value}`)].join('\n')}>
            {device.display_name !== undefined && <span>{name}</span>}
            {tags.map(([tag, value]) => (
              <span className="tag" key={tag}>
                {tag}={value}
              </span>
            ))}
          </div>
        )}
      </td>
      <td className="status-cell" role="cell">
        <StatusSince shown={shown} />
      </td>
      {(['cpu', 'memory', 'disk', 'temperature'] as const).map((figure) => (
        <FigureCell key={figure} figure={figure} shown={shown} />
      ))}
      <td className="seen soft" role="cell">
        <LastSeen time={shown.lastSeen} />
      </td>
    </tr>
  );
});

function StatusSince({ shown }: { shown: FleetDevice }) {
  const now = useNow();
  const { status } = shown;
  if (status === 'online') return <Status status="online" />;
  return <Status status={status} words={`${status} for ${ago(now - silentSince(shown))}`} />;
}

function LastSeen({ time }: { time: number }) {
  const now = useNow();
  const text = ago(now - time);
  return <time dateTime={new Date(time).toISOString()}>{text === 'now' ? text : `${text} ago`}</time>;
}

const FORMATS: Readonly<Record<Figure, (value: number) => string>> = {
  cpu: formatterOf('1'),
  memory: formatterOf('1'),
  disk: formatterOf('1'),
  temperature: formatterOf('Cel'),
};
const WORDS: Readonly<Record<Figure, string>> = { cpu: 'CPU', memory: 'Mem', disk: 'Disk', temperature: 'Temp' };
/** From here on a figure stands out. */
const HIGH: Readonly<Record<Figure, number>> = { cpu: 0.95, memory: 0.95, disk: 0.9, temperature: 85 };

function FigureCell({ figure, shown }: { figure: Figure; shown: FleetDevice }) {
  const value = shown.figures[figure];
  const spark = shown.sparks[figure];
  const className = `figure${value && value.value >= HIGH[figure] ? ' high' : ''}`;
  return (
    <td role="cell" data-metric={FIGURE_METRICS[figure]}>
      {value ? (
        <div className={className}>
          <span className="value" data-figure={WORDS[figure]}>
            {FORMATS[figure](value.value)}
            {value.of && (
              <span className="of" title={value.of}>
                <bdi>{value.of}</bdi>
              </span>
            )}
          </span>
          {spark && <Spark values={spark} ratio={figure !== 'temperature'} />}
        </div>
      ) : (
        <span className="figure-none soft" data-figure={WORDS[figure]}>
          <span aria-hidden="true">–</span>
          <span className="hidden">no value</span>
        </span>
      )}
    </td>
  );
}
