import { useTimeWindow } from '../../address.js';
import { useDeviceNames } from '../../data/use-names.js';
import { useNow } from '../../parts/use-now.js';
import { timeText } from '../../time-window.js';
import { ago } from '../../units.js';
import { textsAt, type Document } from '../../data/alert-document.js';
import { TextField, TextsField, TimeField, useEditing } from './fields.js';
import { selectWords } from './rule-words.js';
import { useSetup } from '../../data/use-alerts.js';
import { Setup, type SetupLook } from './setup.js';

const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

/** What keeps people from being told: silences, maintenance windows, and what is behind a device that is away. */
export function Quiet() {
  return (
    <div className="stack">
      <Setup look={SILENCES} />
      <Setup
        look={{
          kind: 'maintenance',
          title: 'Maintenance windows',
          one: 'window',
          what: 'Alerts of these times are in the history, and nobody is told.',
          none: 'No maintenance is planned.',
          fresh: { select: {}, weekly: { days: ['tue'], at: '22:00' }, duration: '2h', timezone: ZONE },
          columns: ['Of', 'When', 'Comment'],
          cells: ({ document }) => [
            selectOf(document, 'select'),
            <WindowWords key="when" document={document} />,
            textsAt(document, 'comment').join(),
          ],
          fields: <MaintenanceFields />,
        }}
      />
      <Setup
        look={{
          kind: 'dependencies',
          title: 'Dependencies',
          one: 'dependency',
          what: 'While a device is away, nobody is told of those behind it.',
          none: 'Nothing is known to be behind anything.',
          fresh: { devices: { tag: 'room=lab' }, on: 'lab-switch' },
          columns: ['Behind it', 'The device'],
          cells: ({ document }) => [
            selectOf(document, 'devices'),
            <bdi key="on">{textsAt(document, 'on').join()}</bdi>,
          ],
          fields: <DependencyFields />,
        }}
      />
    </div>
  );
}

export const SILENCES: SetupLook = {
  kind: 'silences',
  title: 'Silences',
  one: 'silence',
  what: 'Nobody is told of what is silenced; it stays in the history.',
  none: 'Nothing is silenced.',
  fresh: { select: {}, for: '2h' },
  columns: ['Of', 'Until', 'Comment', 'By'],
  cells: ({ document }) => [
    selectOf(document, 'select'),
    <Until key="until" time={textsAt(document, 'until').join()} />,
    textsAt(document, 'comment').join(),
    textsAt(document, 'by').join(),
  ],
  fields: <SilenceFields />,
};

const selectOf = (document: Document, key: string) => (
  <bdi key="of">{selectWords((document[key] ?? {}) as Document) || 'everything'}</bdi>
);

function Until({ time }: { time: string }) {
  const { zone } = useTimeWindow();
  const now = useNow();
  const at = Date.parse(time);
  if (Number.isNaN(at)) return null;
  return (
    <>
      {timeText(at, zone, false)} <span className="soft">{at > now ? `for ${ago(at - now)} yet` : 'over'}</span>
    </>
  );
}

function WindowWords({ document }: { document: Document }) {
  const { zone } = useTimeWindow();
  const now = useNow();
  const of = (key: string): string => textsAt(document, key).join();
  const length = `for ${of('duration')}, ${of('timezone') || 'UTC'}`;
  if (document['weekly'] !== undefined) {
    return `${textsAt(document, 'weekly.days').join(', ') || 'every day'} at ${of('weekly.at')} ${length}`;
  }
  if (document['cron'] !== undefined) return `${of('cron')} ${length}`;
  const until = Date.parse(of('until'));
  return (
    <>
      {timeText(Date.parse(of('from')), zone, false)} – {timeText(until, zone, false)}{' '}
      {until <= now && <span className="soft">over</span>}
    </>
  );
}

/** Which alerts are meant. */
export function SelectFields({ path = 'select' }: { path?: string }) {
  const { names, tags } = useDeviceNames();
  const { data } = useSetup('rules');
  return (
    <fieldset className="fields">
      <legend>Which alerts</legend>
      <TextsField path={`${path}.rule`} label="Rules" placeholder="all" options={data?.items.map(({ name }) => name)} />
      <TextsField
        path={`${path}.severity`}
        label="Severities"
        placeholder="all"
        options={['info', 'warning', 'critical']}
      />
      <TextsField path={`${path}.device`} label="Devices" placeholder="all; a name, or lab-*" options={names} />
      <TextsField path={`${path}.tag`} label="Tags" placeholder="as room=lab" options={tags} />
    </fieldset>
  );
}

function SilenceFields() {
  const { document } = useEditing();
  return (
    <>
      <SelectFields />
      <fieldset className="fields">
        <legend>How long</legend>
        {document['until'] === undefined || document['for'] !== undefined ? (
          <TextField path="for" label="From now on for" placeholder="2h" />
        ) : (
          <TimeField path="until" label="Until" />
        )}
        <TextField path="comment" label="Comment" />
      </fieldset>
    </>
  );
}

type Repeats = 'once' | 'weekly' | 'cron';
const BEGINNINGS: Readonly<Record<Repeats, Document>> = {
  once: { for: '2h' },
  weekly: { weekly: { days: ['tue'], at: '22:00' }, duration: '2h', timezone: ZONE },
  cron: { cron: '0 22 1 * *', duration: '2h', timezone: ZONE },
};

function MaintenanceFields() {
  const { document, change, readOnly } = useEditing();
  const repeats: Repeats =
    document['weekly'] !== undefined ? 'weekly' : document['cron'] !== undefined ? 'cron' : 'once';
  const choose = (chosen: Repeats): void => {
    const { select, comment } = document;
    change({
      ...(select !== undefined && { select }),
      ...BEGINNINGS[chosen],
      ...(comment !== undefined && { comment }),
    });
  };
  return (
    <>
      <SelectFields />
      <fieldset className="fields">
        <legend>When</legend>
        <label className="labelled">
          <span>It is</span>
          <select
            className="field"
            value={repeats}
            disabled={readOnly}
            onChange={({ target }) => choose(target.value as Repeats)}
          >
            <option value="once">once</option>
            <option value="weekly">each week</option>
            <option value="cron">by cron</option>
          </select>
        </label>
        {repeats === 'once' ? (
          <>
            <TimeField path="from" label="From" note="left empty: from now on" />
            {document['until'] === undefined ? (
              <TextField path="for" label="For" placeholder="2h" />
            ) : (
              <TimeField path="until" label="Until" />
            )}
          </>
        ) : (
          <>
            {repeats === 'weekly' ? (
              <>
                <TextsField
                  path="weekly.days"
                  label="Days"
                  placeholder="every day"
                  options={DAYS}
                  note={DAYS.join(', ')}
                />
                <TextField path="weekly.at" label="At" placeholder="22:00" />
              </>
            ) : (
              <TextField path="cron" label="Cron expression" note="minute, hour, day, month, weekday" />
            )}
            <TextField path="duration" label="For" placeholder="2h" />
            <TextField path="timezone" label="Time zone" placeholder="UTC" options={[ZONE, 'UTC']} />
          </>
        )}
        <TextField path="comment" label="Comment" />
      </fieldset>
    </>
  );
}

function DependencyFields() {
  const { names, tags } = useDeviceNames();
  return (
    <fieldset className="fields">
      <legend>What is behind what</legend>
      <TextField path="on" label="The device" placeholder="lab-switch" options={names} />
      <TextsField path="devices.device" label="Devices behind it" placeholder="a name, or lab-*" options={names} />
      <TextsField path="devices.tag" label="Tags of those behind it" placeholder="as room=lab" options={tags} />
    </fieldset>
  );
}
