import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { change, type Schema } from '../../api.js';
import { useTimeWindow } from '../../address.js';
import { timeText } from '../../time-window.js';
import { duration } from '../../units.js';
import { parsed, Setup } from './setup.js';

const DAY = 86_400_000;
const SHOWN = 50;

/** What is watched. */
export function Rules() {
  return (
    <Setup
      kind="rules"
      title="Rules"
      what="A rule that was there from the start is changed by saving it; deleting that brings it back."
      example={{ select: { metric: 'hw.temperature' }, condition: { above: 80 }, for: '5m', severity: 'warning' }}
      more={(document) => <DryRun document={document} />}
    />
  );
}

/** When the rule would have fired. */
function DryRun({ document }: { document: string }) {
  const { zone } = useTimeWindow();
  const [days, setDays] = useState(7);
  const run = useMutation({
    mutationFn: () =>
      change<Schema<'DryRunResultDto'>>('POST', '/api/v1/alerts/rules/dry-run', {
        rule: { name: 'dry run', ...parsed(document) },
        start_time: new Date(Date.now() - days * DAY).toISOString(),
      }),
  });
  return (
    <div className="stack">
      <div className="bar">
        <label>
          Days{' '}
          <select className="field" value={days} onChange={({ target }) => setDays(Number(target.value))}>
            {[1, 7, 30, 90].map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
        <button type="button" className="button" disabled={run.isPending} onClick={() => run.mutate()}>
          {run.isPending ? 'Running…' : 'Dry run'}
        </button>
        {run.error && (
          <span role="alert" className="bad-text">
            {run.error.message}
          </span>
        )}
      </div>
      {run.data && (
        <div role="status">
          <p>
            It watches {run.data.subjects} and would have fired {run.data.count} times.
          </p>
          <ul>
            {run.data.firings.slice(0, SHOWN).map((firing) => (
              <li key={`${firing.began} ${firing.summary}`}>
                {timeText(Date.parse(firing.began), zone)}, for {duration(firing.duration / 1000)}: {firing.summary}
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
