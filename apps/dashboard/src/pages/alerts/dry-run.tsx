import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { DAY } from '@device-metrics/domain';
import { change, type Schema } from '../../api.js';
import { useTimeWindow } from '../../address.js';
import { timeText } from '../../time-window.js';
import { duration } from '../../units.js';
import type { Document } from '../../data/alert-document.js';
import { chartAddress } from './now.js';

const SHOWN = 50;
type Result = Schema<'DryRunResultDto'>;

/** When a rule would have fired, before it is saved. */
export function DryRun({ document }: { document: Document }) {
  const [days, setDays] = useState(7);
  const run = useMutation({
    mutationFn: async () => {
      const end = Date.now();
      const start = end - days * DAY;
      const result = await change<Result>('POST', '/api/v1/alerts/rules/dry-run', {
        rule: { name: 'dry run', ...document },
        start_time: new Date(start).toISOString(),
        end_time: new Date(end).toISOString(),
      });
      return { result, start, end };
    },
  });
  return (
    <div className="dry-run">
      <div className="bar">
        <button type="button" className="button" disabled={run.isPending} onClick={() => run.mutate()}>
          {run.isPending ? 'Looking…' : 'Dry run'}
        </button>
        <label className="inline-label">
          over the last
          <select className="field" value={days} onChange={({ target }) => setDays(Number(target.value))}>
            {[1, 7, 30, 90].map((one) => (
              <option key={one} value={one}>
                {one} {one === 1 ? 'day' : 'days'}
              </option>
            ))}
          </select>
        </label>
        <span className="soft">Nothing is kept, nobody is told.</span>
      </div>
      {run.error && (
        <p role="alert" className="bad-text">
          {run.error.message}
        </p>
      )}
      {run.data && <Firings {...run.data} />}
    </div>
  );
}

/** The result: a sentence, a strip of time, and the firings. */
function Firings({ result, start, end }: { result: Result; start: number; end: number }) {
  const { zone } = useTimeWindow();
  const { subjects, count, firings } = result;
  const share = (time: number): number => Math.max(0, Math.min(1, (time - start) / (end - start)));
  return (
    <div role="status">
      <p>
        It watches {subjects} {subjects === 1 ? 'thing' : 'things'} and would have fired{' '}
        <strong>{count === 1 ? 'once' : count === 0 ? 'never' : `${count} times`}</strong>.
      </p>
      {count > 0 && (
        <svg className="strip" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">
          {firings.map((firing, index) => {
            const from = share(Date.parse(firing.began));
            const to = firing.ended === null ? 1 : share(Date.parse(firing.ended));
            return <rect key={index} x={from * 1000} y={0} width={Math.max(2, (to - from) * 1000)} height={10} />;
          })}
        </svg>
      )}
      <ul>
        {firings.slice(0, SHOWN).map((firing) => (
          <li key={`${firing.began} ${firing.summary}`}>
            <span className="soft">
              {timeText(Date.parse(firing.began), zone)}, for {duration(firing.duration / 1000)}
              {firing.ended === null && ', still'}:
            </span>{' '}
            {firing.device_name === '' ? (
              firing.summary
            ) : (
              <Link href={chartAddress(firing.device_name, firing.began)}>
                <bdi>{firing.summary}</bdi>
              </Link>
            )}
          </li>
        ))}
      </ul>
      {count > SHOWN && <p className="soft">and {count - SHOWN} more.</p>}
    </div>
  );
}
