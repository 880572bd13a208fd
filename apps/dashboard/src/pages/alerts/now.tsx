import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { Link } from 'wouter';
import { addressOf, change, read, type Schema } from '../../api.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { useNow } from '../../parts/use-now.js';
import { ago } from '../../units.js';

type Alert = Schema<'AlertDto'>;

const HOUR = 3_600_000;
/** How often the states are asked for, ms. */
const EVERY = 10_000;
const STATES: Readonly<Record<string, string>> = { no_data: 'no data', error: 'not known' };

export const useAlerts = () =>
  useQuery({
    queryKey: ['alerts'],
    queryFn: ({ signal }) => read('/api/v1/alerts', {}, { signal }),
    refetchInterval: EVERY,
  });

/** The chart of what an alert is about, around a time. */
export function chartAddress(device: string, time: string): string {
  const at = Date.parse(time);
  const parameters = new URLSearchParams({
    start: new Date(at - HOUR).toISOString(),
    end: new Date(Math.min(Date.now(), at + HOUR)).toISOString(),
  });
  return `/devices/${encodeURIComponent(device)}?${parameters.toString()}`;
}

/** Everything that is not normal. */
export function Now() {
  const { data, error, refetch } = useAlerts();
  if (error && !data) {
    return <ProblemNotice what="The alerts were not read." error={error} onRetry={() => void refetch()} />;
  }
  if (!data) return <p className="soft">Reading…</p>;
  if (data.alerts.length === 0) return <p className="panel alerts-empty">All is well: no rule has anything to say.</p>;
  return (
    <div className="panel alerts-room">
      <table aria-label="Alerts">
        <thead>
          <tr>
            <th scope="col">Severity</th>
            <th scope="col">Rule</th>
            <th scope="col">What</th>
            <th scope="col">State</th>
            <th scope="col">Since</th>
            <th scope="col">Told</th>
            <th scope="col">
              <span className="hidden">Acknowledge</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {data.alerts.map((alert) => (
            <Row key={`${alert.rule} ${alert.summary} ${alert.id}`} alert={alert} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ alert }: { alert: Alert }) {
  const now = useNow();
  const open = alert.state === 'alerting' || alert.state === 'recovering';
  const told = alert.suppressed ? `no: ${alert.suppressed}` : alert.told.join(', ') || 'not yet';
  return (
    <tr>
      <td>
        <Severity severity={alert.severity} />
      </td>
      <td>{alert.rule}</td>
      <td>
        {alert.device_name === '' ? (
          alert.summary
        ) : (
          <Link href={chartAddress(alert.device_name, alert.since)}>{alert.summary}</Link>
        )}
      </td>
      <td>{STATES[alert.state] ?? alert.state}</td>
      <td>
        <time dateTime={alert.since}>{ago(now - Date.parse(alert.since))}</time>
      </td>
      <td>{open ? told : ''}</td>
      <td>{open && <Acknowledge alert={alert} />}</td>
    </tr>
  );
}

export function Severity({ severity }: { severity: string }) {
  return <span className={`severity ${severity}`}>{severity}</span>;
}

function Acknowledge({ alert }: { alert: Alert }) {
  const client = useQueryClient();
  const [asked, setAsked] = useState(false);
  const id = useId();
  const acknowledge = useMutation({
    mutationFn: (comment: string) =>
      change('POST', addressOf('/api/v1/alerts/{id}/acknowledge', {}, { id: alert.id }), { comment }),
    onSuccess: () => {
      setAsked(false);
      return client.invalidateQueries({ queryKey: ['alerts'] });
    },
  });
  if (alert.acknowledged_by !== null) {
    return (
      <span className="soft">
        {alert.acknowledged_by}
        {alert.comment && `: ${alert.comment}`}
      </span>
    );
  }
  if (!asked) {
    return (
      <button type="button" className="button" onClick={() => setAsked(true)}>
        Acknowledge
      </button>
    );
  }
  return (
    <form
      className="bar"
      action={(form) => {
        const comment = form.get('comment');
        acknowledge.mutate(typeof comment === 'string' ? comment : '');
      }}
    >
      <label className="hidden" htmlFor={id}>
        Comment
      </label>
      <input id={id} name="comment" className="field" placeholder="Comment" maxLength={1000} />
      <button className="button primary" disabled={acknowledge.isPending}>
        Save
      </button>
      {acknowledge.error && <span role="alert">{acknowledge.error.message}</span>}
    </form>
  );
}
