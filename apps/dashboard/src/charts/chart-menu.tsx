import { useRef, useState } from 'react';
import { Link } from 'wouter';
import type { ChartData } from '../data/chart-data.js';
import type { ChartSpec } from '../data/chart-specs.js';
import { carried } from '../address.js';
import { copyText } from '../parts/copy-line.js';
import { ShareForm } from '../pages/share/share-form.js';
import { useMay } from '../data/session.js';
import { PopoverMenu } from '../parts/popover-menu.js';
import { timeText, type Zone } from '../time-window.js';
import { formatterOf } from '../units.js';

interface ChartMenuProps {
  readonly title: string;
  readonly device?: string;
  readonly spec: ChartSpec;
  /** The call that made the chart, in a format. */
  readonly address: (format?: string) => string;
  readonly data: ChartData | undefined;
  readonly zone: Zone;
  /** Whether the call has the formats of files. */
  readonly files?: boolean;
}

/** What a chart can be taken away as. */
export function ChartMenu({ title, device, spec, address, data, zone, files = true }: ChartMenuProps) {
  const [said, setSaid] = useState('');
  const table = useRef<HTMLDialogElement>(null);
  const [tableOpen, setTableOpen] = useState(false);
  const share = useRef<HTMLDialogElement>(null);
  const [shareOpen, setShareOpen] = useState(false);
  const mayShare = useMay('shares:write');
  const copy = async (text: string, what: string): Promise<void> => {
    setSaid((await copyText(text)) ? `${what} copied` : text);
    setTimeout(() => setSaid(''), 3_000);
  };
  const absolute = (path: string): string => new URL(path, window.location.href).href;
  const hash = `#chart-${encodeURIComponent(spec.id)}`;
  const explore = `/explore?metric=${encodeURIComponent(spec.metrics[0] ?? '')}`;
  return (
    <>
      {said !== '' && (
        <span className="soft said" role="status">
          {said}
        </span>
      )}
      <PopoverMenu label={`Take away: ${title}`}>
        {files && (
          <>
            <a href={address('csv')} download>
              Save as CSV
            </a>
            <a href={address('xlsx')} download>
              Save for Excel
            </a>
          </>
        )}
        <button type="button" onClick={() => void copy(window.location.href.replace(/#.*/, '') + hash, 'Link')}>
          Copy the link
        </button>
        <button type="button" onClick={() => void copy(`curl '${absolute(address())}'`, 'Call')}>
          Copy the call
        </button>
        <button
          type="button"
          disabled={!data}
          onClick={() => {
            setTableOpen(true);
            requestAnimationFrame(() => table.current?.showModal());
          }}
        >
          Show as a table
        </button>
        {device !== undefined && mayShare && (
          <button
            type="button"
            onClick={() => {
              setShareOpen(true);
              requestAnimationFrame(() => share.current?.showModal());
            }}
          >
            Share this picture
          </button>
        )}
        {device !== undefined && <Link href={explore}>Compare devices</Link>}
      </PopoverMenu>
      <dialog ref={share} aria-label={`Share ${title}`} onClose={() => setShareOpen(false)}>
        {shareOpen && device !== undefined && (
          <div className="stack">
            <h2>
              Share <bdi>{title}</bdi>
            </h2>
            <ShareForm
              shared={{ page: pictureOf(device, spec), devices: [device] }}
              onClose={() => share.current?.close()}
            />
          </div>
        )}
      </dialog>
      <dialog ref={table} className="wide" aria-label={`${title} as a table`} onClose={() => setTableOpen(false)}>
        {tableOpen && data && (
          <div className="stack">
            <h2>
              <bdi>{title}</bdi>
            </h2>
            <ValueTable data={data} spec={spec} zone={zone} />
            <div className="actions">
              <button type="button" className="button" onClick={() => table.current?.close()}>
                Close
              </button>
            </div>
          </div>
        )}
      </dialog>
    </>
  );
}

/** The page of one chart of a device, over the time that is shown now. */
function pictureOf(device: string, spec: ChartSpec): string {
  const parameters = new URLSearchParams(carried(new URLSearchParams(location.search)));
  parameters.set('chart', spec.id);
  return `/devices/${encodeURIComponent(device)}?${parameters.toString()}`;
}

/** More rows than a person reads; the files have all. */
const MAX_ROWS = 500;

/** The values of a chart, newest first. */
function ValueTable({ data, spec, zone }: { data: ChartData; spec: ChartSpec; zone: Zone }) {
  const format = formatterOf(spec.unit, spec.metrics[0]);
  const rows = data.times
    .map((time, index) => ({ time, index }))
    .filter(({ index }) => data.lines.some(({ values }) => typeof values[index] === 'number'))
    .reverse();
  return (
    <div className="table-room" tabIndex={0} role="region" aria-label="Values">
      <table className="plain">
        <thead>
          <tr>
            <th scope="col">Time</th>
            {data.lines.map(({ key, name }) => (
              <th key={key} scope="col" className="number">
                <bdi>{name}</bdi>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, MAX_ROWS).map(({ time, index }) => (
            <tr key={time}>
              <td>{timeText(time, zone)}</td>
              {data.lines.map(({ key, values }) => (
                <td key={key} className="number">
                  {format(values[index])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > MAX_ROWS && (
        <p className="soft">
          The newest {MAX_ROWS} of {rows.length}; the file has all.
        </p>
      )}
    </div>
  );
}
