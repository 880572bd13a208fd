import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { addressOf, change, type Schema } from '../../api.js';
import { useMay } from '../../data/session.js';
import { ShareButton } from '../share/share-form.js';
import { textOf } from '../../parts/form.js';
import { Status } from '../../parts/status.js';
import { useNow } from '../../parts/use-now.js';
import { ago, duration } from '../../units.js';

type DeviceDto = Schema<'DeviceDto'>;

/** Who the device is, how it is, and what people know of it. */
export function DeviceHead({ device }: { device: DeviceDto }) {
  const tags = Object.entries(device.tags);
  const dialog = useRef<HTMLDialogElement>(null);
  const [editing, setEditing] = useState(false);
  const mayEdit = useMay('devices:write');
  return (
    <div className="page-head device-head">
      <div className="grow">
        <h1>
          <bdi>{device.display_name ?? device.device_name}</bdi>
        </h1>
        <div className="facts soft">
          <StatusWords device={device} />
          {device.display_name !== undefined && <bdi>{device.device_name}</bdi>}
          {device.interval !== undefined && <span>reads every {duration(Math.round(device.interval / 100) / 10)}</span>}
          <span>{device.series} series</span>
          {tags.map(([name, value]) => (
            <span className="tag" key={name}>
              {name}={value}
            </span>
          ))}
        </div>
        {device.notes !== undefined && <p className="notes">{device.notes}</p>}
      </div>
      <a className="button" href={addressOf('/api/v1/reports/print', { device: device.device_name })}>
        Print
      </a>
      <ShareButton page={location.pathname + location.search} devices={[device.device_name]} />
      {mayEdit && (
        <button
          type="button"
          className="button"
          onClick={() => {
            setEditing(true);
            requestAnimationFrame(() => dialog.current?.showModal());
          }}
        >
          Edit
        </button>
      )}
      <dialog ref={dialog} aria-label="Edit the device" onClose={() => setEditing(false)}>
        {editing && <EditDevice device={device} onDone={() => dialog.current?.close()} />}
      </dialog>
    </div>
  );
}

function StatusWords({ device }: { device: DeviceDto }) {
  const now = useNow();
  const { status } = device;
  const since = Date.parse(status === 'late' ? device.late_at : device.offline_at);
  const seen = ago(now - Date.parse(device.last_seen));
  if (status === 'online') return <Status status="online" />;
  return (
    <>
      <Status status={status} words={`${status} for ${ago(now - since)}`} />
      <span>last seen {seen === 'now' ? seen : `${seen} ago`}</span>
    </>
  );
}

/** Changes display name, notes and tags; tags are written as `name=value`, one a line. */
function EditDevice({ device, onDone }: { device: DeviceDto; onDone: () => void }) {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const [mistake, setMistake] = useState('');
  const [busy, setBusy] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const mayDelete = useMay('devices:delete');
  const [opened] = useState(device);
  const path = addressOf('/api/v1/devices/{device_name}', {}, { device_name: device.device_name });
  const run = async (act: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setMistake('');
    try {
      await act();
    } catch (error) {
      setMistake(error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  const save = (form: FormData): Promise<void> =>
    run(async () => {
      const lines = textOf(form, 'tags')
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean);
      const wrong = lines.find((line) => line.indexOf('=') < 1);
      if (wrong !== undefined) throw new Error(`A tag is name=value, got ${wrong}.`);
      const wanted = Object.fromEntries(
        lines.map((line): [string, string] => [
          line.slice(0, line.indexOf('=')).trim(),
          line.slice(line.indexOf('=') + 1).trim(),
        ]),
      );
      const gone = Object.keys(opened.tags).filter((name) => !Object.hasOwn(wanted, name));
      const given = Object.entries(wanted).filter(([name, value]) => opened.tags[name] !== value);
      const [displayName, notes] = ['display_name', 'notes'].map((field) => textOf(form, field).trim() || null);
      const changes = {
        ...(displayName !== (opened.display_name ?? null) && { display_name: displayName }),
        ...(notes !== (opened.notes ?? null) && { notes }),
        tags: Object.fromEntries([...gone.map((name): [string, null] => [name, null]), ...given]),
      };
      await change('PATCH', path, changes, opened).finally(() =>
        client.invalidateQueries({ queryKey: ['device', device.device_name] }),
      );
      void client.invalidateQueries({ queryKey: ['devices'] });
      onDone();
    });
  const remove = (): Promise<void> =>
    run(async () => {
      await change('DELETE', path);
      await client.invalidateQueries({ queryKey: ['devices'] });
      navigate('/');
    });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void save(new FormData(event.currentTarget));
      }}
    >
      <h2>
        Edit <bdi>{device.device_name}</bdi>
      </h2>
      <label className="labelled">
        Display name
        <input className="field" name="display_name" maxLength={128} defaultValue={device.display_name ?? ''} />
      </label>
      <label className="labelled">
        Notes
        <textarea className="field" name="notes" maxLength={4000} defaultValue={device.notes ?? ''} />
      </label>
      <label className="labelled">
        Tags, one a line, as room=lab
        <textarea
          className="field"
          name="tags"
          defaultValue={Object.entries(device.tags)
            .map(([name, value]) => `${name}=${value}`)
            .join('\n')}
        />
      </label>
      {mistake !== '' && (
        <p className="bad-text" role="alert">
          {mistake}
        </p>
      )}
      <div className="actions">
        {mayDelete && deleting && (
          <button type="button" className="button danger" disabled={busy} onClick={() => void remove()}>
            Delete it with all samples, for good
          </button>
        )}
        {mayDelete && !deleting && (
          <button type="button" className="button plain danger" onClick={() => setDeleting(true)}>
            Delete…
          </button>
        )}
        <span className="push" />
        <button type="button" className="button" onClick={onDone}>
          Cancel
        </button>
        <button type="submit" className="button primary" disabled={busy}>
          Save
        </button>
      </div>
    </form>
  );
}
