import { useMutation, useQuery } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { ApiError, change, read, type Schema } from '../../api.js';
import { textOf } from '../../parts/form.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { useTitle } from '../../parts/use-title.js';
import { timeText } from '../../time-window.js';
import { Incident } from './incident.js';
import './status.css';

type Status = Schema<'PublicStatusDto'>;
type Line = Schema<'StatusLineDto'>;

const EVERY = 30_000;
/** Where the pass of a page with a password is kept, for as long as the browser's tab is open. */
const PASS = 'status-pass';

/** What everybody may read: how the chosen devices are, and what people write of incidents. */
export default function StatusPage() {
  const [pass, setPass] = useState(() => sessionStorage.getItem(PASS) ?? undefined);
  const { data, error, refetch } = useQuery({
    queryKey: ['status', pass],
    queryFn: ({ signal }) =>
      read('/api/v1/status', {}, { signal, ...(pass !== undefined && { headers: { 'x-status-pass': pass } }) }),
    refetchInterval: EVERY,
  });
  useTitle(data?.title ?? 'Status');
  const status = error instanceof ApiError ? error.status : undefined;
  if (status === 403) {
    return (
      <Password
        onPass={(given) => {
          sessionStorage.setItem(PASS, given);
          setPass(given);
        }}
      />
    );
  }
  if (status === 404) {
    return (
      <div className="notice status-room">
        <p>There is no status page. An editor makes one under Alerts, Status page.</p>
      </div>
    );
  }
  if (error && !data)
    return <ProblemNotice what="The status was not read." error={error} onRetry={() => void refetch()} />;
  if (!data) return <div className="page-wait" aria-busy="true" />;
  return <Shown status={data} />;
}

function Shown({ status }: { status: Status }) {
  const { title, text, lines, incidents, time } = status;
  const open = incidents.filter(({ ended }) => ended === null);
  const past = incidents.filter(({ ended }) => ended !== null);
  return (
    <div className="status-room">
      <h1>{title}</h1>
      {text !== '' && <p className="status-text">{text}</p>}
      <p className={`banner ${worst(lines)}`} role="status">
        {WORDS[worst(lines)]}
      </p>
      {open.map((incident) => (
        <Incident key={incident.id} incident={incident} />
      ))}
      <section className="panel status-lines" aria-label="Devices">
        {lines.map((line) => (
          <StatusLine key={line.name} line={line} />
        ))}
        {lines.length === 0 && <p className="soft empty">No device was chosen for this page.</p>}
      </section>
      <p className="soft legend-line">
        The last 90 days, today on the right. As of {timeText(Date.parse(time), 'local')}.
      </p>
      {past.length > 0 && (
        <section>
          <h2>Past incidents</h2>
          {past.map((incident) => (
            <Incident key={incident.id} incident={incident} />
          ))}
        </section>
      )}
    </div>
  );
}

const WORDS = {
  up: 'Everything is up',
  part: 'Some of it is down',
  down: 'Everything is down',
} as const;

function worst(lines: readonly Line[]): keyof typeof WORDS {
  if (lines.every(({ state }) => state === 'up')) return 'up';
  return lines.every(({ state }) => state === 'down') ? 'down' : 'part';
}

const STATES: Readonly<Record<string, string>> = { up: 'up', part: 'partly down', down: 'down' };
/** From this percent on a day is shown as whole, and as nearly so. */
const WHOLE = 99.9;
const NEARLY = 98;

const dayClass = (percent: number | null): string =>
  percent === null ? 'unknown' : percent >= WHOLE ? 'whole' : percent >= NEARLY ? 'nearly' : 'broken';
const percentText = (percent: number | null): string =>
  percent === null ? '–' : `${percent === 100 ? '100' : percent.toFixed(percent > 99.99 ? 4 : 2)} %`;

/** One line: its name, how it is, and a bar for each day. */
function StatusLine({ line }: { line: Line }) {
  const { name, state, percent, days } = line;
  const bad = days.filter((day) => day.percent !== null && day.percent < WHOLE).length;
  return (
    <div className="status-line">
      <div className="status-head">
        <strong>
          <bdi>{name}</bdi>
        </strong>
        <span className={`state ${state}`}>{STATES[state] ?? state}</span>
        <span className="soft percent">{percentText(percent)}</span>
      </div>
      <svg
        className="days"
        viewBox={`0 0 ${days.length * 4} 24`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${percentText(percent)} of the last ${days.length} days; ${bad} days with silence`}
      >
        {days.map((day, index) => (
          <rect key={day.day} className={dayClass(day.percent)} x={index * 4} y={0} width={3} height={24}>
            <title>{`${day.day}: ${percentText(day.percent)}`}</title>
          </rect>
        ))}
      </svg>
    </div>
  );
}

function Password({ onPass }: { onPass: (pass: string) => void }) {
  const id = useId();
  useTitle('Status');
  const enter = useMutation({
    mutationFn: async (password: string) => {
      const { pass } = await change<Schema<'StatusPassDto'>>('POST', '/api/v1/status/pass', { password });
      return pass;
    },
    onSuccess: onPass,
  });
  return (
    <form className="sign-in panel" action={(form) => enter.mutate(textOf(form, 'password'))}>
      <h1>Status</h1>
      <label className="labelled" htmlFor={id}>
        This page has a password
        <input id={id} className="field" type="password" name="password" required autoComplete="current-password" />
      </label>
      {enter.error && (
        <p role="alert" className="bad-text">
          {enter.error.message}
        </p>
      )}
      <button className="button primary" disabled={enter.isPending}>
        Show it
      </button>
    </form>
  );
}
