import { useInfiniteQuery } from '@tanstack/react-query';
import { addressOf, read } from '../../api.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { timeText } from '../../time-window.js';
import { Part, Rows } from './part.js';

/** Who did what, the newest first. */
export function AuditLog() {
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery({
    queryKey: ['audit'],
    queryFn: ({ signal, pageParam }) => read('/api/v1/audit', { cursor: pageParam }, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor,
  });
  const file = (
    <a className="button" href={addressOf('/api/v1/audit', { format: 'ndjson' })} download>
      Save all
    </a>
  );
  return (
    <Part title="Audit" actions={file}>
      {error && !data && (
        <ProblemNotice what="The audit could not be read." error={error} onRetry={() => void refetch()} />
      )}
      {data && (
        <Rows heads={['When', 'Who', 'From', 'What', '']} none="Nothing was done yet.">
          {data.pages
            .flatMap(({ entries }) => entries)
            .map(({ id, at, actor, address, action, target, success, details }) => (
              <tr key={id}>
                <td>{timeText(Date.parse(at), 'local')}</td>
                <td>
                  <bdi>{actor}</bdi>
                </td>
                <td>{address}</td>
                <td>
                  {action} <bdi>{target}</bdi> {!success && <strong className="bad-text">refused</strong>}
                </td>
                <td className="soft">
                  {Object.entries(details)
                    .map(([name, value]) => `${name} ${value}`)
                    .join(', ')}
                </td>
              </tr>
            ))}
        </Rows>
      )}
      {hasNextPage && (
        <button type="button" className="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
          More
        </button>
      )}
    </Part>
  );
}
