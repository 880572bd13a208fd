import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { Link } from 'wouter';
import { carried, useAddress, useTimeWindow } from '../../address.js';
import { addressOf, read, serverNow, type Schema } from '../../api.js';
import { ChartMenu } from '../../charts/chart-menu.js';
import { Drawn } from '../../charts/device-chart.js';
import { compareData, keyOf } from '../../data/compare-data.js';
import { useNarrow } from '../../parts/use-narrow.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { TimeBar } from '../../parts/time-bar.js';
import { useTitle } from '../../parts/use-title.js';
import { boundsOf, lengthOf } from '../../time-window.js';
import { formatterOf, type Formatter } from '../../units.js';
import { ExploreControls } from './explore-controls.js';
import { compareQuery, questionOf, specOf } from './question.js';
import './explore.css';

type CompareDto = Schema<'CompareDto'>;

interface Answer {
  readonly report: CompareDto;
  readonly before: CompareDto | undefined;
  readonly start: number;
  readonly end: number;
}

/** How often a comparison that moves with time is asked for again, at the most, ms. */
const RENEW = 15_000;

/** Any metric of any devices on one axis, the largest or smallest of them, and against the time before. */
export default function Explore() {
  const address = useAddress();
  const { window, zone, setWindow } = useTimeWindow();
  const question = useMemo(() => questionOf(address), [address]);
  useTitle(`Explore ${question.metric}`);
  const narrow = useNarrow();
  const { data, error, isPlaceholderData, refetch } = useQuery<Answer>({
    queryKey: ['compare', question, window, zone],
    placeholderData: (before) => (before?.report.metric_name === question.metric ? before : undefined),
    staleTime: window.kind === 'live' ? RENEW : Infinity,
    refetchInterval: window.kind === 'live' ? Math.max(RENEW, lengthOf(window) / 300) : false,
    queryFn: async ({ signal }) => {
      const { start, end } = boundsOf(window, serverNow());
      const query = compareQuery(question, window, start, end, zone) as { metric_name: string };
      const report = await read('/api/v1/reports/compare', query, { signal });
      if (!question.before || report.series.length === 0) return { report, before: undefined, start, end };
      const length = lengthOf(window);
      const earlier = compareQuery(
        { ...question, order: 'top', count: 1000, before: false },
        window,
        start - length,
        end - length,
        zone,
      );
      const names = [...new Set(report.series.map(({ device_name }) => device_name))];
      const query2 = { ...earlier, device_name: names } as unknown as { metric_name: string };
      return { report, before: await read('/api/v1/reports/compare', query2, { signal }), start, end };
    },
  });
  const spec = useMemo(() => specOf(question, data?.report.unit), [question, data?.report.unit]);
  const chart = useMemo(
    () => data && compareData(data.report, data.before && { report: data.before, offset: data.end - data.start }),
    [data],
  );
  const bounds = data && !isPlaceholderData ? data : boundsOf(window, serverNow());
  const zoom = useCallback(
    (start: number, end: number) => setWindow({ kind: 'fixed', start: Math.round(start), end: Math.round(end) }),
    [setWindow],
  );
  const call = (format?: string): string => {
    const { start, end } = boundsOf(window, serverNow());
    return addressOf('/api/v1/reports/compare', {
      ...compareQuery(question, window, start, end, zone),
      ...(format !== undefined && { format }),
    });
  };
  return (
    <>
      <div className="page-head">
        <h1 className="grow">Explore</h1>
      </div>
      <div className="controls">
        <ExploreControls question={question} />
        <TimeBar />
      </div>
      {error && !data ? (
        <ProblemNotice what="The api did not answer this question." error={error} onRetry={() => void refetch()} />
      ) : (
        <>
          {error && (
            <ProblemNotice what="The question was not answered." error={error} onRetry={() => void refetch()} />
          )}
          <article className="chart" aria-busy={isPlaceholderData || !data}>
            <header>
              <h2>
                <bdi>{question.metric}</bdi> <span className="soft">{question.aggregation}</span>
              </h2>
              <ChartMenu title={question.metric} spec={spec} address={call} data={chart} zone={zone} />
            </header>
            <Drawn
              chart={chart}
              spec={spec}
              zone={zone}
              height={narrow ? 240 : 380}
              bounds={bounds}
              shown
              onZoom={zoom}
            />
          </article>
          {data && data.report.series.length > 0 && (
            <Ranking answer={data} format={formatterOf(spec.unit, question.metric)} />
          )}
        </>
      )}
    </>
  );
}

/** The series in their order with their number over the whole time, and how that was in the time before. */
function Ranking({ answer: { report, before }, format }: { answer: Answer; format: Formatter }) {
  return (
    <div className="panel ranking">
      <table className="plain">
        <thead>
          <tr>
            <th scope="col" className="number">
              #
            </th>
            <th scope="col">Device</th>
            <th scope="col">Labels</th>
            <th scope="col" className="number" title="Over the whole time">
              {report.aggregation}
            </th>
            <th scope="col" className="number">
              Min
            </th>
            <th scope="col" className="number">
              Max
            </th>
            {before && (
              <>
                <th scope="col" className="number">
                  Before
                </th>
                <th scope="col" className="number">
                  Change
                </th>
              </>
            )}
          </tr>
        </thead>
        <tbody>
          {report.series.map((series, index) => {
            const known = series.values.filter((value) => value !== null);
            return (
              <tr key={keyOf(series)}>
                <td className="number soft">{index + 1}</td>
                <td>
                  <Link
                    href={`/devices/${encodeURIComponent(series.device_name)}${carried(new URLSearchParams(location.search))}`}
                  >
                    <bdi>{series.device_name}</bdi>
                  </Link>
                </td>
                <td className="soft labels">
                  <bdi>
                    {Object.entries(series.labels)
                      .map(([name, value]) => `${name}=${value}`)
                      .join(' ')}
                  </bdi>
                </td>
                <td className="number">{format(series.value)}</td>
                <td className="number">
                  {format(known.length > 0 ? known.reduce((a, b) => Math.min(a, b)) : undefined)}
                </td>
                <td className="number">
                  {format(known.length > 0 ? known.reduce((a, b) => Math.max(a, b)) : undefined)}
                </td>
                {before && (
                  <>
                    <td className="number">{format(series.before)}</td>
                    <td className="number">{changeText(series.percent)}</td>
                  </>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function changeText(percent: number | null | undefined): string {
  if (percent === null || percent === undefined) return '–';
  const text = `${Math.abs(percent).toFixed(1)} %`;
  return percent > 0 ? `+${text}` : percent < 0 ? `−${text}` : text;
}
