import { useMutation, useQuery, useQueryClient, type UseMutationResult } from '@tanstack/react-query';
import { useState } from 'react';
import { addressOf, change, read, type Schema } from '../../api.js';
import { useDeviceNames } from '../../data/use-names.js';
import { textOf } from '../../parts/form.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { Incident } from '../status/incident.js';
import '../status/status.css';

type Page = Schema<'StatusPageDto'>;
type Saving = UseMutationResult<Page, Error, Page>;
type IncidentDto = Schema<'IncidentDto'>;

const STATES = ['investigating', 'identified', 'monitoring', 'resolved', 'planned'];

/** What the status page shows to everybody, and its incidents. */
export function StatusSetup() {
  const { data, error, refetch } = useQuery({
    queryKey: ['status-page'],
    queryFn: ({ signal }) => read('/api/v1/status/page', {}, { signal }),
  });
  const client = useQueryClient();
  const saving = useMutation({
    mutationFn: (wish: Page) => change<Page>('PUT', '/api/v1/status/page', wish),
    onSuccess: (saved) => client.setQueryData(['status-page'], saved),
  });
  if (error && !data) {
    return <ProblemNotice what="The status page was not read." error={error} onRetry={() => void refetch()} />;
  }
  if (!data) return <div className="page-wait" aria-busy="true" />;
  return (
    <div className="stack">
      <section className="setup">
        <div className="bar setup-head">
          <h2>Status page</h2>
          <p className="soft grow">A page for everybody, of the devices that you choose.</p>
          {data.enabled && (
            <a className="button" href="/status">
              Open it
            </a>
          )}
        </div>
        <PageForm key={JSON.stringify(data)} page={data} saving={saving} />
      </section>
      <Incidents />
    </div>
  );
}

function PageForm({ page, saving }: { page: Page; saving: Saving }) {
  const { tags } = useDeviceNames();
  const tagNames = [...new Set(tags.map((tag) => tag.slice(0, tag.indexOf('='))))];
  const wishOf = (form: FormData): Page => {
    const text = (name: string): string => textOf(form, name).trim();
    const chosen = text('tags')
      .split(',')
      .map((tag) => tag.trim())
      .filter(Boolean);
    return {
      enabled: form.get('enabled') !== null,
      title: text('title'),
      text: text('text'),
      tags: chosen,
      names: text('names'),
      password: text('password'),
    };
  };
  return (
    <form
      className="panel status-form"
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate(wishOf(new FormData(event.currentTarget)));
      }}
    >
      <div className="fields">
        <label className="labelled">
          Title
          <input className="field" name="title" required maxLength={128} defaultValue={page.title} />
        </label>
        <label className="labelled">
          Devices with all of these tags
          <input
            className="field"
            name="tags"
            list="status-tags"
            placeholder="as public=yes, room=*"
            defaultValue={page.tags.join(', ')}
          />
          <datalist id="status-tags">
            {tags.map((tag) => (
              <option key={tag} value={tag} />
            ))}
          </datalist>
        </label>
        <label className="labelled">
          What they are called
          <select className="field" name="names" defaultValue={page.names}>
            <option value="display_name">by their display names</option>
            <option value="device_name">by their own names</option>
            {[...new Set([...tagNames, ...(page.names.startsWith('tag:') ? [page.names.slice(4)] : [])])].map(
              (name) => (
                <option key={name} value={`tag:${name}`}>
                  one line for each {name}
                </option>
              ),
            )}
          </select>
        </label>
        <label className="labelled">
          Password
          <input
            className="field"
            name="password"
            type="password"
            autoComplete="new-password"
            placeholder="none"
            defaultValue={page.password ?? ''}
          />
        </label>
      </div>
      <label className="labelled">
        Text below the title
        <textarea className="field" name="text" rows={2} maxLength={2000} defaultValue={page.text ?? ''} />
      </label>
      <div className="bar">
        <label className="inline-label">
          <input type="checkbox" name="enabled" defaultChecked={page.enabled} />
          <span>Everybody who reaches this server may read it</span>
        </label>
        <button className="button primary push" disabled={saving.isPending}>
          Save
        </button>
        <span role="status" className={saving.error ? 'bad-text' : 'soft'}>
          {saving.error?.message ?? (saving.isSuccess && 'Saved.')}
        </span>
      </div>
    </form>
  );
}

function Incidents() {
  const { data } = useQuery({
    queryKey: ['incidents'],
    queryFn: ({ signal }) => read('/api/v1/status/incidents', {}, { signal }),
  });
  const [open, setOpen] = useState<string>();
  return (
    <section className="setup">
      <div className="bar setup-head">
        <h2>Incidents</h2>
        <p className="soft grow">Written by hand; they stand on the status page for 90 days.</p>
        <button type="button" className="button" onClick={() => setOpen('new')}>
          New incident
        </button>
      </div>
      {open === 'new' && <IncidentForm onDone={() => setOpen(undefined)} />}
      {data?.incidents.map((incident) => (
        <Incident key={incident.id} incident={incident}>
          {open === incident.id ? (
            <IncidentForm incident={incident} onDone={() => setOpen(undefined)} />
          ) : (
            <p className="bar">
              <button type="button" className="button small" onClick={() => setOpen(incident.id)}>
                Update
              </button>
            </p>
          )}
        </Incident>
      ))}
      {data?.incidents.length === 0 && open !== 'new' && <p className="panel alerts-empty soft">No incident yet.</p>}
    </section>
  );
}

function IncidentForm({ incident, onDone }: { incident?: IncidentDto; onDone: () => void }) {
  const client = useQueryClient();
  const id = incident?.id ?? '';
  const path = '/api/v1/status/incidents';
  const done = (): void => {
    void client.invalidateQueries({ queryKey: ['incidents'] });
    onDone();
  };
  const saving = useMutation({
    mutationFn: (form: FormData) => {
      const text = textOf(form, 'text').trim();
      const body = { title: textOf(form, 'title'), state: textOf(form, 'state'), ...(text !== '' && { text }) };
      return incident ? change('PUT', addressOf(`${path}/{id}`, {}, { id }), body) : change('POST', path, body);
    },
    onSuccess: done,
  });
  const removing = useMutation({
    mutationFn: () => change('DELETE', addressOf(`${path}/{id}`, {}, { id })),
    onSuccess: done,
  });
  const error = saving.error ?? removing.error;
  return (
    <form
      className="panel status-form"
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate(new FormData(event.currentTarget));
      }}
    >
      <div className="fields">
        <label className="labelled">
          What has happened
          <input className="field" name="title" required maxLength={200} defaultValue={incident?.title ?? ''} />
        </label>
        <label className="labelled">
          State
          <select className="field" name="state" defaultValue={incident?.state ?? 'investigating'}>
            {STATES.map((state) => (
              <option key={state}>{state}</option>
            ))}
          </select>
        </label>
      </div>
      <label className="labelled">
        What is new
        <textarea className="field" name="text" rows={2} maxLength={4000} />
      </label>
      {error && (
        <p role="alert" className="bad-text">
          {error.message}
        </p>
      )}
      <div className="bar">
        {incident && (
          <button
            type="button"
            className="button danger"
            disabled={removing.isPending}
            onClick={() => removing.mutate()}
          >
            Delete
          </button>
        )}
        <button type="button" className="button push" onClick={onDone}>
          Cancel
        </button>
        <button className="button primary" disabled={saving.isPending}>
          Save
        </button>
      </div>
    </form>
  );
}
