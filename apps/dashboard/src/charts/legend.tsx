import { useImperativeHandle, useRef, type Ref } from 'react';
import type { ChartData } from '../data/chart-data.js';
import { clockText, timeText, type Zone } from '../time-window.js';
import type { Formatter } from '../units.js';
import { BEFORE, colourName, dashOf, QUIET } from './colours.js';

export interface LegendHandle {
  /** Shows the values at a time; null: the newest ones. */
  show: (index: number | null) => void;
  /** Says the values at a time to those who do not see them. */
  say: (index: number) => void;
}

/** More lines than anybody listens to; the table has all. */
const MAX_SPOKEN = 8;

interface LegendProps {
  readonly data: ChartData;
  readonly format: Formatter;
  readonly hidden: ReadonlySet<string>;
  readonly onToggle: (key: string) => void;
  readonly zone: Zone;
  readonly handle: Ref<LegendHandle>;
}

/** The lines by colour and name with their values, which follow the cursor without anything else being drawn again. */
export function Legend({ data, format, hidden, onToggle, zone, handle }: LegendProps) {
  const values = useRef(new Map<string, HTMLSpanElement>());
  const time = useRef<HTMLSpanElement>(null);
  const spoken = useRef<HTMLSpanElement>(null);
  const at = useRef<number | null>(null);
  const show = (index: number | null): void => {
    at.current = index;
    for (const line of data.lines) {
      const place = values.current.get(line.key);
      if (place) place.textContent = format(index === null ? newest(line.values) : near(line.values, index));
    }
    if (!time.current) return;
    const moment = data.times[index ?? -1];
    time.current.textContent = moment === undefined ? '' : momentText(moment, data, zone);
  };
  const say = (index: number): void => {
    if (!spoken.current) return;
    const shown = data.lines.filter(({ key }) => !hidden.has(key)).slice(0, MAX_SPOKEN);
    const words = shown.map(({ name, values }) => `${name} ${format(near(values, index))}`);
    spoken.current.textContent = [momentText(data.times[index] ?? 0, data, zone), ...words].join(', ');
  };
  useImperativeHandle(handle, () => ({ show, say }));
  return (
    <div className="legend">
      <ul>
        {data.lines.map((line, index) => (
          <li key={line.key}>
            <button
              type="button"
              aria-pressed={!hidden.has(line.key)}
              title={titleOf(line)}
              onClick={() => onToggle(line.key)}
            >
              <Swatch
                index={line.quiet ? QUIET : (line.colourOf ?? index)}
                dash={line.colourOf === undefined ? dashOf(index) : BEFORE}
              />
              <bdi className="line-name">{line.name}</bdi>
              <span
                className="line-value"
                ref={(element) => {
                  if (element) values.current.set(line.key, element);
                  else values.current.delete(line.key);
                }}
              >
                {format(at.current === null ? newest(line.values) : near(line.values, at.current))}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <span className="legend-time soft" ref={time} />
      <span className="hidden" role="status" ref={spoken} />
    </div>
  );
}

function Swatch({ index, dash }: { index: number; dash: number[] }) {
  return (
    <svg className="swatch" viewBox="0 0 14 10" aria-hidden="true">
      <line
        x1="0"
        x2="14"
        y1="5"
        y2="5"
        style={{ stroke: `var(${colourName(index)})`, strokeDasharray: dash.length > 0 ? dash.join(' ') : undefined }}
      />
    </svg>
  );
}

const titleOf = ({ metric, labels }: ChartData['lines'][number]): string =>
  [metric, ...Object.entries(labels).map(([name, value]) => `${name}=${value}`)].join('\n');

function newest(values: ChartData['lines'][number]['values']): number | null | undefined {
  // A series that has stopped shows nothing, one that is read less often than others its last value.
  for (let index = values.length - 1; index >= 0; index -= 1) if (values[index] !== undefined) return values[index];
  return undefined;
}

/** The value at a time, or the one before, of a series that is read less often. */
function near(values: ChartData['lines'][number]['values'], at: number): number | null | undefined {
  for (let index = at; index >= 0; index -= 1) if (values[index] !== undefined) return values[index];
  return undefined;
}

const momentText = (time: number, { times }: ChartData, zone: Zone): string =>
  (times.at(-1) ?? 0) - (times[0] ?? 0) < 86_400_000 ? clockText(time, zone, true) : timeText(time, zone, false);
