import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useId } from 'react';
import { ApiError, change, type Schema } from '../../api.js';
import { useMaySetUp } from '../../data/session.js';

/** What is set up as one file: taken away, and taken in. */
export function AsFile() {
  const id = useId();
  const client = useQueryClient();
  const taking = useMutation({
    mutationFn: async (file: File) =>
      change<Schema<'ImportedDto'>>('POST', '/api/v1/alerts/import', { text: await file.text() }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['alert-setup'] }),
  });
  if (!useMaySetUp()) return null;
  const { error } = taking;
  return (
    <section className="setup no-kiosk" aria-labelledby={id}>
      <div className="bar setup-head">
        <h2 id={id}>As a file</h2>
        <p className="soft grow">
          Rules, channels, routes, windows and dependencies; secrets and the rules that are there from the start are
          left out.
        </p>
        <a className="button" href="/api/v1/alerts/export" download="alerts.yaml">
          Export
        </a>
        <label className="button">
          {taking.isPending ? 'Importing…' : 'Import'}
          <input
            type="file"
            className="hidden"
            accept=".yaml,.yml,.json"
            aria-label="Import a file"
            disabled={taking.isPending}
            onChange={({ target }) => {
              const [file] = target.files ?? [];
              if (file) taking.mutate(file);
              // The same file, mended, may come again.
              target.value = '';
            }}
          />
        </label>
      </div>
      <p role="status">
        {taking.data &&
          (taking.data.written === 1
            ? 'One is written, in place of what had the same name.'
            : `${taking.data.written} are written, in place of what had the same names.`)}
      </p>
      {error && (
        <div role="alert" className="bad-text">
          Nothing was written. {error.message}
          {error instanceof ApiError && error.fields.length > 1 && (
            <ul>
              {error.fields.map(({ field, reason }) => (
                <li key={field + reason}>
                  {field}: {reason}
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
    </section>
  );
}
