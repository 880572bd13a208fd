import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState, type ReactNode } from 'react';
import { addressOf, change, read, type Schema } from '../../api.js';
import { textOf } from '../../parts/form.js';
import { ProblemNotice } from '../../parts/problem-notice.js';

export type Kind = 'rules' | 'channels' | 'routes' | 'silences' | 'maintenance' | 'dependencies';
export type Item = Schema<'AlertSetupDto'>;

const PATH = '/api/v1/alerts/{kind}/{name}';
const shown = (document: unknown): string => JSON.stringify(document, null, 2);

export const useSetup = (kind: Kind) =>
  useQuery({
    queryKey: ['alert-setup', kind],
    queryFn: ({ signal }) => read('/api/v1/alerts/{kind}', {}, { signal, names: { kind } }),
    refetchInterval: 30_000,
  });

/** What is set up of one kind, with a form for each and for a new one. */
export function Setup({
  kind,
  title,
  what,
  example,
  testable = false,
  more,
}: {
  kind: Kind;
  title: string;
  what: string;
  example: object;
  testable?: boolean;
  more?: (document: string) => ReactNode;
}) {
  const { data, error, refetch } = useSetup(kind);
  const [open, setOpen] = useState<string>();
  const id = useId();
  if (error && !data) {
    return <ProblemNotice what={`${title} were not read.`} error={error} onRetry={() => void refetch()} />;
  }
  return (
    <section className="panel setup" aria-labelledby={id}>
      <div className="bar">
        <h2 id={id}>{title}</h2>
        <button type="button" className="button" onClick={() => setOpen('')}>
          New
        </button>
      </div>
      <p className="soft">{what}</p>
      {open === '' && (
        <SetupForm kind={kind} name="" document={shown(example)} onClose={() => setOpen(undefined)} more={more} />
      )}
      <ul>
        {data?.items.map((item) => (
          <li key={item.name}>
            <div className="bar">
              <button
                type="button"
                className="button"
                aria-expanded={open === item.name}
                onClick={() => setOpen(open === item.name ? undefined : item.name)}
              >
                {item.name}
              </button>
              <span className="soft">
                {item.origin === 'file' ? 'of ALERTS_FILE' : item.origin === 'default' ? 'from the start' : ''}
                {item.document['enabled'] === false && ' off'}
              </span>
              {testable && <Test name={item.name} />}
              {item.failure && <span className="bad-text">{item.failure}</span>}
            </div>
            {open === item.name && (
              <SetupForm
                kind={kind}
                name={item.name}
                document={shown(item.document)}
                origin={item.origin}
                onClose={() => setOpen(undefined)}
                more={more}
              />
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}

function SetupForm({
  kind,
  name,
  document: initial,
  origin,
  onClose,
  more,
}: {
  kind: Kind;
  name: string;
  document: string;
  origin?: string;
  onClose: () => void;
  more?: ((document: string) => ReactNode) | undefined;
}) {
  const client = useQueryClient();
  const [text, setText] = useState(initial);
  const id = useId();
  const done = async (): Promise<void> => {
    await client.invalidateQueries({ queryKey: ['alert-setup', kind] });
    onClose();
  };
  const save = useMutation({
    mutationFn: async (form: FormData) => {
      const to = name || textOf(form, 'name').trim();
      await change('PUT', addressOf(PATH, {}, { kind, name: to }), { ...parsed(text), name: to });
    },
    onSuccess: done,
  });
  const remove = useMutation({
    mutationFn: () => change('DELETE', addressOf(PATH, {}, { kind, name })),
    onSuccess: done,
  });
  const failure = save.error ?? remove.error;
  const fixed = origin === 'file';
  return (
    <form className="stack" action={(form) => save.mutate(form)}>
      {name === '' && (
        <label>
          Name <input name="name" className="field" required maxLength={128} />
        </label>
      )}
      <label htmlFor={id}>{fixed ? 'As in ALERTS_FILE' : 'As docs/alerts.md describes it'}</label>
      <textarea
        id={id}
        className="field document"
        rows={Math.min(24, text.split('\n').length + 1)}
        spellCheck={false}
        readOnly={fixed}
        value={text}
        onChange={({ target }) => setText(target.value)}
      />
      {failure && (
        <p role="alert" className="bad-text">
          {failure.message}
        </p>
      )}
      {more?.(text)}
      {!fixed && (
        <div className="actions">
          {origin === 'database' && (
            <button type="button" className="button" disabled={remove.isPending} onClick={() => remove.mutate()}>
              Delete
            </button>
          )}
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button className="button primary" disabled={save.isPending}>
            Save
          </button>
        </div>
      )}
    </form>
  );
}

/** @throws Error in a person's words. */
export function parsed(text: string): object {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error('This must be a JSON object.');
  return value;
}

function Test({ name }: { name: string }) {
  const test = useMutation({
    mutationFn: () => change('POST', addressOf('/api/v1/alerts/channels/{name}/test', {}, { name })),
  });
  return (
    <>
      <button type="button" className="button" disabled={test.isPending} onClick={() => test.mutate()}>
        Send a test
      </button>
      <span role="status">
        {test.isSuccess && 'Taken.'}
        {test.error && <span className="bad-text">{test.error.message}</span>}
      </span>
    </>
  );
}
