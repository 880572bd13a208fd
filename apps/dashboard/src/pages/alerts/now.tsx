import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { Link } from 'wouter';
import { HOUR } from '@device-metrics/domain';
import { addressOf, change, serverNow, type Schema } from '../../api.js';
import { useMay, useMaySetUp } from '../../data/session.js';
import { NOT_YET, OPEN, useAlerts, type Alert } from '../../data/use-alerts.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { useNow } from '../../parts/use-now.js';
import { ago } from '../../units.js';
import { SILENCES } from './quiet.js';
import { SetupDialog } from './setup.js';

/** More rows than a person reads at once. */
const ROWS = 100;
const MOST_ROWS = 10_000;
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
  const [rows, setRows] = useState(ROWS);
  const { data, error, refetch } = useAlerts({ state: OPEN, limit: rows });
  const others = useAlerts({ state: NOT_YET, limit: 1 }).data;
  if (error && !data) {
    return <ProblemNotice what="The alerts were not read." error={error} onRetry={() => void refetch()} />;
  }
  if (!data) return <div className="page-wait" aria-busy="true" />;
  return (
    <>
      {data.count === 0 ? (
        <p className="panel alerts-empty">
          <span className="good-text">Nothing alerts.</span>{' '}
          {others?.count === 0 && <span className="soft">No rule has anything to say.</span>}
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
              {data.alerts.map((alert) => (
                <Row key={alert.id} alert={alert} />
              ))}
            </tbody>
          </table>
          {data.count > data.alerts.length && rows < MOST_ROWS && (
            <p className="more">
              <button type="button" className="button" onClick={() => setRows(rows * 10)}>
                Show more of {data.count}
              </button>
            </p>
          )}
        </div>
      )}
      {others && others.count > 0 && <Others groups={others.groups} />}
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
function Others({ groups }: { groups: Schema<'AlertsDto'>['groups'] }) {
  const counts = new Map<string, { rule: string; state: Alert['state']; count: number }>();
  for (const { rule, state, count } of groups) {
    const key = `${state} ${rule}`;
    counts.set(key, { rule, state, count: count + (counts.get(key)?.count ?? 0) });
  }
  return (
    <section className="others">
      <h2>Not yet alerting</h2>
      {[...counts].map(([key, { rule, state, count }]) => (
        <Group key={key} rule={rule} state={state} count={count} />
      ))}
    </section>
  );
}

/** How many there are; which, once somebody looks. */
function Group({ rule, state, count }: { rule: string; state: Alert['state']; count: number }) {
  const [open, setOpen] = useState(false);
  const now = useNow();
  const { data } = useAlerts({ state: [state], rule: [rule], limit: ROWS }, open);
  return (
    <details className="panel" onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>
        {stateWords(state)}: {rule} <span className="soft">{count}</span>
      </summary>
      {data && (
        <ul>
          {data.alerts.map((alert) => (
            <li key={alert.summary}>
              <Summary alert={alert} /> <span className="soft">for {ago(now - Date.parse(alert.since))}</span>
            </li>
          ))}
          {data.count > data.alerts.length && <li className="soft">and {data.count - data.alerts.length} more</li>}
        </ul>
      )}
    </details>
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
  const maySetUp = useMaySetUp();
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
      {maySetUp && (
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
