import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { Link } from 'wouter';
import { HOUR } from '@device-metrics/domain';
import { addressOf, change, serverNow } from '../../api.js';
import { useMay } from '../../data/session.js';
import { isOpen, useAlerts, type Alert } from '../../data/use-alerts.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { useNow } from '../../parts/use-now.js';
import { ago } from '../../units.js';
import { SILENCES } from './quiet.js';
import { SetupDialog } from './setup.js';

/** More rows than a person reads at once. */
const ROWS = 100;
const STATES: Readonly<Record<string, string>> = { no_data: 'no data', error: 'not known' };
export const stateWords = (state: string): string => STATES[state] ?? state;

/** The chart of what an alert is about, around a time. */
export function chartAddress(device: string, time: string): string {
  const at = Date.parse(time);
  const parameters = new URLSearchParams({
    start: new Date(at - HOUR).toISOString(),
    end: new Date(Math.min(serverNow(), at + HOUR)).toISOString(),
  });
  return `/devices/${encodeURIComponent(device)}?${parameters.toString()}`;
}

/** Everything that is not normal: what alerts, then what may, and what is not known. */
export function Now() {
  const { data, error, refetch } = useAlerts();
  const [rows, setRows] = useState(ROWS);
  if (error && !data) {
    return <ProblemNotice what="The alerts were not read." error={error} onRetry={() => void refetch()} />;
  }
  if (!data) return <div className="page-wait" aria-busy="true" />;
  const open = data.alerts.filter(isOpen);
  const others = data.alerts.filter((alert) => !isOpen(alert));
  return (
    <>
      {open.length === 0 ? (
        <p className="panel alerts-empty">
          <span className="good-text">Nothing alerts.</span>{' '}
          {others.length === 0 && <span className="soft">No rule has anything to say.</span>}
        </p>
      ) : (
        <div className="panel wide-room">
          <table className="plain stacked" aria-label="Alerts">
            <thead>
              <tr>
                <th scope="col">Severity</th>
                <th scope="col">Rule</th>
                <th scope="col">What</th>
                <th scope="col">Since</th>
                <th scope="col">Told</th>
                <th scope="col">
                  <span className="hidden">Answer</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {open.slice(0, rows).map((alert) => (
                <Row key={alert.id} alert={alert} />
              ))}
            </tbody>
          </table>
          {open.length > rows && (
            <p className="more">
              <button type="button" className="button" onClick={() => setRows(rows * 10)}>
                Show more of {open.length}
              </button>
            </p>
          )}
        </div>
      )}
      {others.length > 0 && <Others alerts={others} />}
    </>
  );
}

function Row({ alert }: { alert: Alert }) {
  const now = useNow();
  return (
    <tr>
      <td data-head="Severity">
        <Severity severity={alert.severity} />
      </td>
      <td data-head="Rule">{alert.rule}</td>
      <td className="what">
        <Summary alert={alert} />
        {alert.state === 'recovering' && <span className="tag">recovering</span>}
      </td>
      <td data-head="Since">
        <time dateTime={alert.since}>{ago(now - Date.parse(alert.since))}</time>
      </td>
      <td data-head="Told">{alert.suppressed ? `no: ${alert.suppressed}` : alert.told.join(', ') || 'nobody yet'}</td>
      <td className="answers">
        <Answers alert={alert} />
      </td>
    </tr>
  );
}

function Summary({ alert: { device_name, since, summary } }: { alert: Alert }) {
  if (device_name === '') return summary;
  return (
    <Link href={chartAddress(device_name, since)}>
      <bdi>{summary}</bdi>
    </Link>
  );
}

/** What is wrong but not for long enough, and what is not known: by rule, each to be opened. */
function Others({ alerts }: { alerts: readonly Alert[] }) {
  const now = useNow();
  const groups = new Map<string, Alert[]>();
  for (const alert of alerts) {
    const title = `${stateWords(alert.state)}: ${alert.rule}`;
    groups.set(title, [...(groups.get(title) ?? []), alert]);
  }
  return (
    <section className="others">
      <h2>Not yet alerting</h2>
      {[...groups].map(([title, members]) => (
        <details key={title} className="panel">
          <summary>
            {title} <span className="soft">{members.length}</span>
          </summary>
          <ul>
            {members.slice(0, ROWS).map((alert) => (
              <li key={alert.summary}>
                <Summary alert={alert} /> <span className="soft">for {ago(now - Date.parse(alert.since))}</span>
              </li>
            ))}
            {members.length > ROWS && <li className="soft">and {members.length - ROWS} more</li>}
          </ul>
        </details>
      ))}
    </section>
  );
}

/** The severity, told by a mark and a word as well as by colour. */
export function Severity({ severity }: { severity: string }) {
  return <span className={`severity ${severity}`}>{severity}</span>;
}

/** Acknowledge it, or silence it. */
function Answers({ alert }: { alert: Alert }) {
  const client = useQueryClient();
  const [asked, setAsked] = useState<'acknowledge' | 'silence'>();
  const id = useId();
  const may = useMay('alerts:write');
  const acknowledge = useMutation({
    mutationFn: (comment: string) =>
      change('POST', addressOf('/api/v1/alerts/{id}/acknowledge', {}, { id: alert.id }), { comment }),
    onSuccess: () => {
      setAsked(undefined);
      return client.invalidateQueries({ queryKey: ['alerts'] });
    },
  });
  if (asked === 'acknowledge') {
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
        <input id={id} name="comment" className="field" placeholder="Comment" maxLength={1000} autoFocus />
        <button className="button small primary" disabled={acknowledge.isPending}>
          Save
        </button>
        {acknowledge.error && (
          <span role="alert" className="bad-text">
            {acknowledge.error.message}
          </span>
        )}
      </form>
    );
  }
  const { rule, device_name } = alert;
  return (
    <span className="bar">
      {alert.acknowledged_by === null ? (
        may && (
          <button type="button" className="button small" onClick={() => setAsked('acknowledge')}>
            Acknowledge
          </button>
        )
      ) : (
        <span className="soft">
          {alert.acknowledged_by}
          {alert.comment && `: ${alert.comment}`}
        </span>
      )}
      {may && (
        <button type="button" className="button small" onClick={() => setAsked('silence')}>
          Silence
        </button>
      )}
      {asked === 'silence' && (
        <SetupDialog
          look={SILENCES}
          fresh={{ select: { rule, ...(device_name !== '' && { device: device_name }) }, for: '2h' }}
          onClose={() => {
            setAsked(undefined);
            void client.invalidateQueries({ queryKey: ['alerts'] });
          }}
        />
      )}
    </span>
  );
}
