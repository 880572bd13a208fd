import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { Link } from 'wouter';
import { useAddress, useTimeWindow } from '../../address.js';
import { addressOf, read, serverNow, type Query, type Schema } from '../../api.js';
import { useDeviceNames } from '../../data/use-names.js';
import { Chosen, Picker } from '../../parts/picker.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { TimeBar } from '../../parts/time-bar.js';
import { useTitle } from '../../parts/use-title.js';
import { boundsOf, timeText, zoneName, type Zone } from '../../time-window.js';
import { duration } from '../../units.js';
import './availability.css';

type Report = Schema<'AvailabilityDto'>;

const DEFAULT_LENGTH = '90d';
/** Silences that are shown of a device before a click. */
const SHOWN = 5;
/** Devices that are shown before a click: the page of some thousand took seconds. */
const PAGE = 200;

/** Which share of each month a device was not silent, and its silences. */
export default function Availability() {
  useTitle('Availability');
  const address = useAddress();
  const { window, zone } = useTimeWindow(DEFAULT_LENGTH);
  const devices = address.all('device');
  const tags = address.all('tag');
  const query = (format?: string): Query => {
    const { start, end } = boundsOf(window, serverNow());
    return {
      device_name: devices,
      tag: tags,
      start_time: new Date(start).toISOString(),
      end_time: new Date(end).toISOString(),
      timezone: zoneName(zone),
      format,
    };
  };
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['availability', devices, tags, window, zone],
    staleTime: 60_000,
    queryFn: ({ signal }) =>
      read('/api/v1/reports/availability', query() as object as Record<string, never>, { signal }),
  });
  return (
    <>
      <div className="page-head">
        <h1 className="grow">Availability</h1>
        <div className="bar no-print">
          <a className="button" href={addressOf('/api/v1/reports/availability', query('csv'))} download>
            CSV
          </a>
          <a className="button" href={addressOf('/api/v1/reports/availability', query('xlsx'))} download>
            Excel
          </a>
        </div>
      </div>
      <div className="controls no-print">
        <Filters devices={devices} tags={tags} />
        <TimeBar fallback={DEFAULT_LENGTH} />
      </div>
      {error && !data ? (
        <ProblemNotice what="The availability could not be read." error={error} onRetry={() => void refetch()} />
      ) : (
        <div className="panel scrolling-x" aria-busy={isFetching}>
          {data && <Months report={data} zone={zone} />}
        </div>
      )}
    </>
  );
}

function Filters({ devices, tags }: { devices: readonly string[]; tags: readonly string[] }) {
  const { set } = useAddress();
  const known = useDeviceNames();
  const without = (all: readonly string[], one: string): string[] => all.filter((each) => each !== one);
  return (
    <div className="bar">
      <Picker
        label="Add a device"
        placeholder="All devices; a name, or lab-*"
        options={known.names}
        onPick={(device) => set({ device: [...new Set([...devices, device])] })}
      />
      {known.tags.length > 0 && (
        <Picker
          label="Add a tag"
          placeholder="Tag, as room=lab"
          options={known.tags}
          onPick={(tag) => set({ tag: [...new Set([...tags, tag])] })}
        />
      )}
      <Chosen values={devices} what="device" onRemove={(one) => set({ device: without(devices, one) })} />
      <Chosen values={tags} what="tag" onRemove={(one) => set({ tag: without(tags, one) })} />
    </div>
  );
}

/** Devices down, months across, the least available first. */
function Months({ report, zone }: { report: Report; zone: Zone }) {
  const address = useAddress();
  const open = address.get('all');
  const { months, cells, silences } = useMemo(() => arranged(report), [report]);
  const [most, setMost] = useState(PAGE);
  if (report.totals.length === 0) return <p className="soft empty">No device was watched in this time.</p>;
  const totals = [...report.totals].sort((a, b) => a.percent - b.percent);
  const more = totals.length - most;
  return (
    <>
      <table className="plain availability cards">
        <thead>
          <tr>
            <th scope="col">Device</th>
            <th scope="col" className="number">
              Whole time
            </th>
            {months.map((month) => (
              <th key={month} scope="col" className="number">
                {month}
              </th>
            ))}
            <th scope="col" className="number">
              Silent
            </th>
            <th scope="col">Silences</th>
          </tr>
        </thead>
        <tbody>
          {totals.slice(0, most).map(({ device_name = '', percent, silent, silences: count }) => {
            const own = silences.get(device_name) ?? [];
            const all = open === device_name;
            return (
              <tr key={device_name}>
                <td className="name whole-line">
                  <Link href={`/devices/${encodeURIComponent(device_name)}`}>
                    <bdi>{device_name}</bdi>
                  </Link>
                </td>
                <td className="number" data-head="Whole time">
                  <Share percent={percent} />
                </td>
                {months.map((month) => {
                  const cell = cells.get(`${device_name} ${month}`);
                  return (
                    <td key={month} className="number" data-head={month}>
                      {cell ? <Share percent={cell.percent} /> : <span className="soft">–</span>}
                      {cell && cell.silences > 0 && (
                        <div className="month-silences soft">
                          {cell.silences} {cell.silences === 1 ? 'silence' : 'silences'}, {duration(cell.silent / 1000)}
                        </div>
                      )}
                    </td>
                  );
                })}
                <td className="number" data-head="Silent">
                  {silent === 0 ? <span className="soft">–</span> : duration(silent / 1000)}
                </td>
                <td className="whole-line">
                  {count === 0 ? (
                    <span className="soft">none</span>
                  ) : (
                    <ul className="silences">
                      {own.slice(0, all ? undefined : SHOWN).map(({ start_time, end_time, length }) => (
                        <li key={start_time}>
                          <Link href={aroundSilence(device_name, start_time, end_time, length)}>
                            {timeText(Date.parse(start_time), zone, false)}
                          </Link>{' '}
                          <span className="soft">
                            {end_time === undefined ? 'for ' : ''}
                            {duration(length / 1000)}
                            {end_time === undefined ? ', still' : ''}
                          </span>
                        </li>
                      ))}
                      {own.length > SHOWN && (
                        <li>
                          <button
                            type="button"
                            className="button small plain"
                            aria-expanded={all}
                            onClick={() => address.set({ all: all ? undefined : device_name }, { replace: true })}
                          >
                            {all ? 'fewer' : `all ${own.length}`}
                          </button>
                        </li>
                      )}
                    </ul>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {more > 0 && (
        <p className="more-rows">
          <button type="button" className="button no-print" onClick={() => setMost(most + PAGE)}>
            {Math.min(PAGE, more)} more
          </button>{' '}
          <span className="soft">
            {most} of {totals.length} devices, those that were silent for the longest; the files have all.
          </span>
        </p>
      )}
    </>
  );
}

/** A share in percent with a bar of its length; below 99.9 % it stands out. */
function Share({ percent }: { percent: number }) {
  const text = percent === 100 ? '100 %' : `${Math.min(99.99, percent).toFixed(2)} %`;
  return (
    <span className={percent < 99 ? 'share bad-text' : 'share'}>
      {text}
      <svg viewBox="0 0 60 3" preserveAspectRatio="none" aria-hidden="true">
        <rect width="60" height="3" className="whole" />
        <rect width={(percent / 100) * 60} height="3" />
      </svg>
    </span>
  );
}

function arranged({ months, silences }: Report): {
  months: string[];
  cells: Map<string, Report['months'][number]>;
  silences: Map<string, Report['silences']>;
} {
  const byDevice = new Map<string, Report['silences']>();
  // The newest first.
  for (const silence of [...silences].reverse()) {
    byDevice.set(silence.device_name, [...(byDevice.get(silence.device_name) ?? []), silence]);
  }
  return {
    months: [...new Set(months.map(({ month = '' }) => month))].sort(),
    cells: new Map(months.map((row) => [`${row.device_name} ${row.month}`, row])),
    silences: byDevice,
  };
}

/** The device with some time round its silence. */
function aroundSilence(device: string, start: string, end: string | undefined, length: number): string {
  const room = Math.max(300_000, length / 2);
  const from = new Date(Date.parse(start) - room).toISOString();
  const to = new Date((end === undefined ? serverNow() : Date.parse(end)) + room).toISOString();
  return `/devices/${encodeURIComponent(device)}?start=${from}&end=${to}`;
}
