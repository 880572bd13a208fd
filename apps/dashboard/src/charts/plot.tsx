import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { AlertMarks } from '../data/alert-marks.js';
import type { ChartData } from '../data/chart-data.js';
import { plotColumns, plotOptions, type PlotHooks, type PlotLook } from './plot-options.js';
import { useDark } from './use-colour-scheme.js';

interface PlotProps {
  readonly data: ChartData;
  readonly look: PlotLook;
  readonly hidden: ReadonlySet<string>;
  readonly height: number;
  readonly bounds: { readonly start: number; readonly end: number };
  readonly label: string;
  readonly marks: AlertMarks;
  readonly onCursor: (index: number | null) => void;
  /** A time was gone to by a key. */
  readonly onRead: (index: number) => void;
  readonly onZoom?: ((start: number, end: number) => void) | undefined;
  /** A time was clicked at. */
  readonly onPick?: ((time: number) => void) | undefined;
}

/** The drawing itself; made anew when its lines change, and only given new numbers otherwise. */
export function Plot({
  data,
  look,
  hidden,
  height,
  bounds,
  label,
  marks,
  onCursor,
  onRead,
  onZoom,
  onPick,
}: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const [width, setWidth] = useState(0);
  const dark = useDark();
  // What the drawing asks for while it lives, always the newest.
  const now = useRef({ data, bounds, marks, onCursor, onZoom, onPick });
  now.current = { data, bounds, marks, onCursor, onZoom, onPick };

  useLayoutEffect(() => {
    const element = place.current;
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => setWidth(Math.floor(entry?.contentRect.width ?? 0)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const shape = JSON.stringify([
    data.lines.map(({ key, min }) => [key, min !== undefined]),
    [...hidden],
    look.show,
    look.unit,
    look.zone,
    dark,
    onZoom !== undefined,
  ]);
  useEffect(() => {
    const element = place.current;
    if (!element || width === 0) return;
    const hooks: PlotHooks = {
      bounds: () => now.current.bounds,
      hourlyUntil: () => now.current.data.hourlyUntil,
      marks: () => now.current.marks,
      onCursor: (index) => now.current.onCursor(index),
      onZoom: onZoom && ((start, end) => now.current.onZoom?.(start, end)),
    };
    const { data } = now.current;
    const made = new uPlot(
      plotOptions(data, look, hidden, { width, height }, hooks),
      plotColumns(data, look, hidden),
      element,
    );
    plot.current = made;
    const pick = (): void => {
      const { left } = made.cursor;
      if (left !== undefined && left >= 0 && made.select.width < 5) now.current.onPick?.(made.posToVal(left, 'x'));
    };
    made.over.addEventListener('click', pick);
    return () => {
      made.over.removeEventListener('click', pick);
      made.destroy();
      plot.current = undefined;
    };
    // `look` and `hidden` are in `shape`; a new width only resizes.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [shape, width > 0]);

  useEffect(() => {
    if (width > 0) plot.current?.setSize({ width, height });
  }, [width, height]);
  useEffect(() => {
    plot.current?.setData(plotColumns(data, look, hidden));
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [data, bounds.start, bounds.end, marks]);

  const move = (event: React.KeyboardEvent): void => {
    const current = plot.current;
    const step = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 }[event.key];
    if (!current) return;
    const times = now.current.data.times;
    const at = current.cursor.idx ?? times.length;
    const here = current.cursor.idx == null ? undefined : times[at];
    if (event.key === 'Enter' && here !== undefined) return now.current.onPick?.(here);
    if (event.key === '+' && here !== undefined) {
      const { start, end } = now.current.bounds;
      return now.current.onZoom?.(here - (end - start) / 4, here + (end - start) / 4);
    }
    if (step === undefined && event.key !== 'Home' && event.key !== 'End') return;
    event.preventDefault();
    const wanted = event.key === 'Home' ? 0 : event.key === 'End' ? times.length - 1 : at + (step ?? 0);
    const to = Math.max(0, Math.min(times.length - 1, wanted));
    const time = times[to];
    if (time === undefined) return;
    current.setCursor({ left: current.valToPos(time, 'x'), top: 10 });
    onRead(to);
  };
  return (
    <div
      ref={place}
      className="plot"
      style={{ height }}
      role="application"
      aria-roledescription="chart"
      aria-keyshortcuts={`ArrowLeft ArrowRight PageUp PageDown Home End${onZoom ? ' Plus' : ''}${onPick ? ' Enter' : ''}`}
      tabIndex={0}
      aria-label={label}
      onKeyDown={move}
      onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
    />
  );
}
