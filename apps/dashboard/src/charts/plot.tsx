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
  readonly onZoom?: ((start: number, end: number) => void) | undefined;
  /** A time was clicked at. */
  readonly onPick?: ((time: number) => void) | undefined;
}

/** The drawing itself; made anew when its lines change, and only given new numbers otherwise. */
export function Plot({ data, look, hidden, height, bounds, label, marks, onCursor, onZoom, onPick }: PlotProps) {
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
    if (event.key === 'Enter' && current.cursor.idx !== null) return now.current.onPick?.(times[at] ?? 0);
    if (step === undefined && event.key !== 'Home' && event.key !== 'End') return;
    event.preventDefault();
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? times.length - 1 : at + (step ?? 0);
    const time = times[Math.max(0, Math.min(times.length - 1, to))];
    if (time !== undefined) current.setCursor({ left: current.valToPos(time, 'x'), top: 10 });
  };
  return (
    <div
      ref={place}
      className="plot"
      style={{ height }}
      role="img"
      tabIndex={0}
      aria-label={label}
      onKeyDown={move}
      onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
    />
  );
}
