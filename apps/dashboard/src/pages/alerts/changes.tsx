import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { useTimeWindow } from '../../address.js';
import { read } from '../../api.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { timeText } from '../../time-window.js';
import { chartAddress, Severity, stateWords } from './now.js';

/** Every change, the newest first. */
export function Changes() {
  const { zone } = useTimeWindow();
  const { data, error, refetch, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['alert-history'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ signal, pageParam }) => read('/api/v1/alerts/history', { limit: '100', before: pageParam }, { signal }),
    getNextPageParam: ({ next_before }) => (next_before === undefined ? undefined : String(next_before)),
    refetchInterval: 30_000,
  });
  if (error && !data) {
    return <ProblemNotice what="The history was not read." error={error} onRetry={() => void refetch()} />;
  }
  const changes = data?.pages.flatMap((page) => page.changes) ?? [];
  if (data && changes.length === 0) return <p className="panel alerts-empty">Nothing has happened yet.</p>;
  return (
    <div className="panel wide-room">
      <table className="plain stacked" aria-label="History of alerts">
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Severity</th>
            <th scope="col">Rule</th>
            <th scope="col">What</th>
            <th scope="col">Change</th>
            <th scope="col">Note</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((one) => (
            <tr key={one.id}>
              <td data-head="Time">
                <time dateTime={one.time}>{timeText(Date.parse(one.time), zone)}</time>
              </td>
              <td data-head="Severity">
                <Severity severity={one.severity} />
              </td>
              <td data-head="Rule">{one.rule}</td>
              <td data-head="What">
                {one.device_name === '' ? (
                  one.summary
                ) : (
                  <Link href={chartAddress(one.device_name, one.time)}>
                    <bdi>{one.summary}</bdi>
                  </Link>
                )}
              </td>
              <td data-head="Change">
                {one.from === one.to ? stateWords(one.to) : `${stateWords(one.from)} → ${stateWords(one.to)}`}
              </td>
              <td data-head="Note">{one.note}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {hasNextPage && (
        <p className="more">
          <button type="button" className="button" onClick={() => void fetchNextPage()}>
            Earlier
          </button>
        </p>
      )}
    </div>
  );
}
