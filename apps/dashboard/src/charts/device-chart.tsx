import { memo, useMemo, useRef } from 'react';
import { useAddress } from '../address.js';
import { addressOf } from '../api.js';
import { aggregationsOf, chartData, type ChartData } from '../data/chart-data.js';
import { NO_MARKS, type AlertMarks } from '../data/alert-marks.js';
import { isWhole, type ChartSpec } from '../data/chart-specs.js';
import { useAlertMarks } from '../data/use-alert-marks.js';
import { reportQuery, useReport, type ReportWish } from '../data/use-report.js';
import { ProblemNotice } from '../parts/problem-notice.js';
import { useInView } from '../parts/use-in-view.js';
import { useNarrow } from '../parts/use-narrow.js';
import { boundsOf, type TimeWindow, type Zone } from '../time-window.js';
import { serverNow } from '../api.js';
import { formatterOf } from '../units.js';
import { spanText } from './axes.js';
import { ChartMenu } from './chart-menu.js';
import { Legend, type LegendHandle } from './legend.js';
import { Plot } from './plot.js';
import './charts.css';

const CHART_HEIGHT = 190;

interface DeviceChartProps {
  readonly device: string;
  readonly interval: number | undefined;
  readonly spec: ChartSpec;
  readonly window: TimeWindow;
  readonly zone: Zone;
  readonly height?: number;
  readonly onZoom?: ((start: number, end: number) => void) | undefined;
  readonly onPick?: ((time: number) => void) | undefined;
}

/** One chart of a device: asks for its numbers when it comes into view. */
export const DeviceChart = memo(function DeviceChart(props: DeviceChartProps) {
  const { device, interval, spec, window, zone, height = CHART_HEIGHT, onZoom, onPick } = props;
  const place = useRef<HTMLElement>(null);
  const inView = useInView(place);
  const points = useNarrow() ? 200 : 400;
  const wish: ReportWish = {
    device,
    metrics: spec.metrics,
    ...(spec.only && { labels: spec.only }),
    aggregations: aggregationsOf(spec),
    window,
    zone,
    points,
    interval,
  };
  const { data, error, isPlaceholderData, refetch } = useReport(wish, inView);
  const chart = useMemo(() => data && chartData(spec, data.report), [data, spec]);
  const marks = useAlertMarks(device, spec, window, chart?.lines[0]?.name);
  // What is on its way is drawn over the new stretch already, so that the axis never jumps twice.
  const bounds = useMemo(
    () => (data && !isPlaceholderData ? { start: data.start, end: data.end } : boundsOf(window, serverNow())),
    [data, isPlaceholderData, window],
  );
  const address = (format?: string): string => {
    const { start, end } = boundsOf(window, serverNow());
    const query = { ...reportQuery(wish, start, end), ...(format !== undefined && { format }) };
    return addressOf('/api/v1/reports/metrics/{device_name}', query, { device_name: device });
  };
  return (
    <article
      ref={place}
      className="chart"
      aria-busy={isPlaceholderData || (inView && !data && !error)}
      id={`chart-${spec.id}`}
    >
      <header>
        <h3 title={spec.help}>
          <bdi>{spec.title}</bdi>
        </h3>
        <ChartMenu title={spec.title} device={device} spec={spec} address={address} data={chart} zone={zone} />
      </header>
      {error && !data ? (
        <ProblemNotice what="This chart could not be read." error={error} onRetry={() => void refetch()} />
      ) : (
        <Drawn
          chart={chart}
          spec={spec}
          zone={zone}
          height={height}
          bounds={bounds}
          shown={inView}
          marks={marks}
          onZoom={onZoom}
          onPick={onPick}
        />
      )}
    </article>
  );
});

interface DrawnProps {
  readonly chart: ChartData | undefined;
  readonly spec: ChartSpec;
  readonly zone: Zone;
  readonly height: number;
  readonly bounds: { readonly start: number; readonly end: number };
  readonly shown: boolean;
  readonly marks?: AlertMarks;
  readonly onZoom?: ((start: number, end: number) => void) | undefined;
  readonly onPick?: ((time: number) => void) | undefined;
}

/** The drawing with its legend; takes the room that it will need before there is anything to draw. */
export function Drawn({ chart, spec, zone, height, bounds, shown, marks = NO_MARKS, onZoom, onPick }: DrawnProps) {
  const { parameters, all, set } = useAddress();
  const hidden = useMemo(() => {
    const named = new Set(parameters.getAll('hide'));
    return new Set(chart?.lines.filter((line) => named.has(hiddenName(spec, line))).map(({ key }) => key));
  }, [parameters, chart, spec]);
  const legend = useRef<LegendHandle>(null);
  const format = useMemo(() => formatterOf(spec.unit, spec.metrics[0]), [spec]);
  const look = useMemo(
    () => ({ show: spec.show, format, unit: spec.unit, whole: isWhole(spec), zone, sync: 'page' }),
    [spec, format, zone],
  );
  const toggle = (key: string): void => {
    const line = chart?.lines.find((each) => each.key === key);
    if (!line) return;
    const name = hiddenName(spec, line);
    const others = all('hide').filter((each) => each !== name);
    set({ hide: hidden.has(key) ? others : [...others, name] }, { replace: true });
  };
  if (!chart || !shown) return <div className="plot-room" style={{ height: height + 28 }} />;
  if (chart.lines.length === 0) {
    return (
      <div className="plot-room empty" style={{ height: height + 28 }}>
        <span>No samples in this time.</span>
      </div>
    );
  }
  return (
    <>
      <Plot
        data={chart}
        look={look}
        hidden={hidden}
        height={height}
        bounds={bounds}
        marks={marks}
        label={`${spec.title}, ${spanText(bounds.start, bounds.end, zone)}: ${words(chart, format)}${markWords(marks, format)}`}
        onCursor={(index) => legend.current?.show(index)}
        onRead={(index) => legend.current?.say(index)}
        onZoom={onZoom}
        onPick={onPick}
      />
      <Legend data={chart} format={format} hidden={hidden} onToggle={toggle} zone={zone} handle={legend} />
    </>
  );
}

/** How the address names a line that is not shown. */
const hiddenName = ({ id }: ChartSpec, { name }: ChartData['lines'][number]): string => `${id}: ${name}`;

/** The levels and episodes in words. */
function markWords({ levels, episodes }: AlertMarks, format: (value: number) => string): string {
  const at = levels.map(({ rule, value }) => `; ${rule} at ${format(value)}`).join('');
  return episodes.length === 0 ? at : `${at}; alerted ${episodes.length === 1 ? 'once' : `${episodes.length} times`}`;
}

/** The lines in words, for those who do not see them. */
function words({ lines }: ChartData, format: (value: number | null | undefined) => string): string {
  return lines
    .slice(0, 8)
    .map(({ name, values }) => {
      const known = values.filter((value) => typeof value === 'number');
      if (known.length === 0) return `${name} without values`;
      const low = known.reduce((a, b) => Math.min(a, b));
      const high = known.reduce((a, b) => Math.max(a, b));
      return `${name} last ${format(known.at(-1))}, from ${format(low)} to ${format(high)}`;
    })
    .join('; ');
}
