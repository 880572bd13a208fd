import { useQuery } from '@tanstack/react-query';
import { useRef } from 'react';
import { read, serverNow, type Schema } from '../../api.js';
import { Spark } from '../../charts/spark.js';
import { isCounter } from '../../data/chart-specs.js';
import { useInView } from '../../parts/use-in-view.js';
import { boundsOf, lengthOf, stepFor, stepText, type TimeWindow } from '../../time-window.js';

const POINTS = 40;

/** The course of one series over the time of the summary; asked for when it comes into view. */
export function RowSpark({ row, window }: { row: Schema<'SummaryRowDto'>; window: TimeWindow }) {
  const place = useRef<HTMLDivElement>(null);
  const inView = useInView(place);
  const { device_name = '', metric_name, labels = {} } = row;
  const { data } = useQuery({
    queryKey: ['row-spark', device_name, metric_name, labels, window],
    enabled: inView,
    staleTime: window.kind === 'live' ? 60_000 : Infinity,
    queryFn: async ({ signal }) => {
      const { start, end } = boundsOf(window, serverNow());
      const { series } = await read(
        '/api/v1/reports/metrics/{device_name}',
        {
          metric_name: [metric_name],
          label: Object.entries(labels).map(([name, value]) => `${name}=${value}`),
          start_time: new Date(start).toISOString(),
          end_time: new Date(end).toISOString(),
          step: stepText(stepFor(lengthOf(window), POINTS)),
          aggregation: [isCounter(metric_name) ? 'rate' : 'mean'],
          fill: 'null',
        },
        { signal, names: { device_name } },
      );
      const wanted = JSON.stringify(labels);
      const samples = series.find((each) => JSON.stringify(each.labels) === wanted)?.samples ?? [];
      return samples.map(([, value]) => (typeof value === 'number' ? value : null));
    },
  });
  return (
    <div ref={place} className="spark-room">
      {data && <Spark values={data} ratio={false} />}
    </div>
  );
}
