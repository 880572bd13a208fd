import { useQuery } from '@tanstack/react-query';
import { useId, type ReactNode } from 'react';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { timeText } from '../../time-window.js';

/** A titled part of the page, with what can be begun in it. */
export function Part({
  title,
  actions,
  children,
}: {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}) {
  const id = useId();
  return (
    <section className="panel access-part" aria-labelledby={id}>
      <div className="bar">
        <h2 id={id}>{title}</h2>
        {actions && <div className="bar">{actions}</div>}
      </div>
      {children}
    </section>
  );
}

/** Reads what a part lists, and shows it or why it cannot. */
export function Listed<Data>({
  name,
  load,
  children,
}: {
  /** Of the query, to read it again by. */
  readonly name: string;
  readonly load: (signal: AbortSignal) => Promise<Data>;
  readonly children: (data: Data) => ReactNode;
}) {
  const { data, error, refetch } = useQuery({
    queryKey: [name],
    queryFn: ({ signal }) => load(signal),
    refetchInterval: 30_000,
  });
  if (error && data === undefined) {
    return <ProblemNotice what="This could not be read." error={error} onRetry={() => void refetch()} />;
  }
  return data === undefined ? <div className="page-wait" aria-busy="true" /> : children(data);
}

/** A table of rows, or what it means that there are none. */
export function Rows({
  heads,
  none,
  children,
}: {
  readonly heads: readonly string[];
  readonly none: string;
  readonly children: readonly ReactNode[];
}) {
  if (children.length === 0) return <p className="soft">{none}</p>;
  return (
    <div className="room" tabIndex={0} role="region" aria-label="Table">
      <table className="plain">
        <thead>
          <tr>
            {heads.map((head) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

/** A time of an answer, to the minute. */
export const when = (time: string | null, never = 'never'): string =>
  time === null ? never : timeText(Date.parse(time), 'local', false);
