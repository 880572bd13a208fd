import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { addressOf, change, read, type Schema } from '../../api.js';
import { useDeviceNames } from '../../data/use-names.js';
import { EntryForm, Mistake } from '../../parts/entry-form.js';
import { ProblemNotice } from '../../parts/problem-notice.js';

type Preview = Schema<'PreviewDto'>;

interface FormProps {
  /** What is changed; undefined: a new one. */
  readonly one?: Schema<'ConfigurationDto'>;
  /** For which a preview can be asked. */
  readonly devices: readonly string[];
  readonly onSaved: () => void;
  readonly onCancel: () => void;
}

const EXAMPLE = 'third_party:\n  - protocol: snmp\n    device: lab-switch\n    host: 192.0.2.10\n';

/** A configuration of collectors to write, with its history, and what a device would get of it. */
export function ConfigurationForm({ one, devices, onSaved, onCancel }: FormProps) {
  const { tags } = useDeviceNames();
  const [tag, setTag] = useState(one?.tag ?? 'all');
  const [text, setText] = useState(one?.text ?? '');
  return (
    <EntryForm
      words="Save"
      onCancel={onCancel}
      submit={async () => {
        const address = addressOf('/api/v1/configurations/{tag}', {}, { tag });
        await change('PUT', address, { text, version: one?.version ?? (await newestOf(tag)) });
        onSaved();
      }}
    >
      <label className="labelled">
        For devices with the tag (all: any)
        <input
          className="field"
          required
          list="configuration-tags"
          placeholder="as room=lab"
          readOnly={one !== undefined}
          value={tag}
          onChange={({ target }) => setTag(target.value)}
        />
        <datalist id="configuration-tags">
          {['all', ...tags].map((each) => (
            <option key={each} value={each} />
          ))}
        </datalist>
      </label>
      {one && <History tag={tag} onChosen={setText} />}
      <label className="labelled">
        collector.yaml
        <textarea
          className="field configuration-text"
          rows={14}
          spellCheck={false}
          placeholder={EXAMPLE}
          value={text}
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      {devices.length > 0 && <PreviewOf devices={devices} tag={tag} text={text} />}
    </EntryForm>
  );
}

/** A tag whose configuration was taken away goes on with its numbers. */
async function newestOf(tag: string): Promise<number> {
  const { configurations } = await read('/api/v1/configurations', {});
  if (configurations.some((each) => each.tag === tag)) throw new Error(`There is one for ${tag} already: change that.`);
  const { version } = await read('/api/v1/configurations/{tag}', {}, { names: { tag } }).catch(() => ({ version: 0 }));
  return version;
}

/** Earlier versions, to go back to. */
function History({ tag, onChosen }: { readonly tag: string; readonly onChosen: (text: string) => void }) {
  const { data, error, refetch } = useQuery({
    queryKey: ['configurations', tag],
    queryFn: ({ signal }) => read('/api/v1/configurations/{tag}', {}, { signal, names: { tag } }),
  });
  const choosing = useMutation({
    mutationFn: (version: string) =>
      read('/api/v1/configurations/{tag}/versions/{version}', {}, { names: { tag, version } }),
    onSuccess: ({ text }) => onChosen(text),
  });
  if (error) return <ProblemNotice what="Its history was not read." error={error} onRetry={() => void refetch()} />;
  if (!data) return null;
  return (
    <label className="labelled">
      Version
      <select className="field" defaultValue={data.version} onChange={({ target }) => choosing.mutate(target.value)}>
        {data.history.map(({ version, changed_at, changed_by, removed }) => (
          <option key={version} value={version} disabled={removed}>
            {version}, {new Date(changed_at).toLocaleString()}, {changed_by}
            {removed && ', removed'}
          </option>
        ))}
      </select>
      <Mistake error={choosing.error} />
    </label>
  );
}

interface PreviewOfProps {
  readonly devices: readonly string[];
  readonly tag: string;
  readonly text: string;
}

function PreviewOf({ devices, tag, text }: PreviewOfProps) {
  const [device, setDevice] = useState(devices[0] ?? '');
  const asking = useMutation({
    mutationFn: () =>
      change<Preview>('POST', addressOf('/api/v1/configurations/preview'), { device_name: device, tag, text }),
  });
  return (
    <div className="stack">
      <div className="bar">
        <select
          className="field"
          aria-label="Device of the preview"
          value={device}
          onChange={({ target }) => {
            setDevice(target.value);
            asking.reset();
          }}
        >
          {devices.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <button type="button" className="button" disabled={asking.isPending} onClick={() => asking.mutate()}>
          What would it get?
        </button>
      </div>
      <Mistake error={asking.error} />
      {asking.data && <Answer preview={asking.data} />}
    </div>
  );
}

function Answer({ preview: { tags, text, errors, allowances_known: known } }: { readonly preview: Preview }) {
  return (
    <div role="status" className="stack">
      {errors.length === 0 ? (
        <p className="soft">
          {text === '' ? 'Nothing.' : `Of ${tags.join(', ')}; it is right`}
          {text !== '' && (known ? '.' : ', if its PC allows the programs and secrets in it.')}
        </p>
      ) : (
        <ul className="bad-text">
          {errors.map(({ field, reason }) => (
            <li key={field}>
              <code>{field}</code>: {reason}
            </li>
          ))}
        </ul>
      )}
      {text !== '' && <pre className="panel configuration-text">{text}</pre>}
    </div>
  );
}
