import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { addressOf, change, read, type Schema } from '../../api.js';
import { ConfirmButton } from '../../parts/confirm-button.js';
import { CopyLine } from '../../parts/copy-line.js';
import { EntryForm } from '../../parts/entry-form.js';
import { textOf } from '../../parts/form.js';
import { ModalButton } from '../../parts/modal-button.js';
import { listOf, Scope, tagsOf } from '../../parts/tags.js';
import { Listed, Part, Rows, when } from './part.js';

type Token = Schema<'TokenDto'>;
type Made = Schema<'MadeTokenDto'>;

const KINDS = [
  ['ingest', 'ingest: sends samples'],
  ['read', 'read: reads'],
  ['admin', 'admin: everything'],
] as const;

/** The credentials of programs that people made. */
export function Tokens() {
  const make = (
    <ModalButton words="New token" title="New token">
      {(close) => <NewToken onDone={close} />}
    </ModalButton>
  );
  return (
    <Part title="Tokens of programs" actions={make}>
      <Listed name="tokens" load={(signal) => read('/api/v1/tokens', {}, { signal })}>
        {({ tokens }) => {
          const made = tokens.filter(({ kind }) => KINDS.some(([known]) => known === kind));
          const rank = ({ state }: Token): number => (state === 'active' ? 0 : 1);
          return (
            <Rows heads={['Name', 'Kind', 'Devices', 'Last used', 'Ends', '']} none="There are none.">
              {made
                .toSorted((a, b) => rank(a) - rank(b))
                .map((token) => (
                  <Row key={token.id} token={token} />
                ))}
            </Rows>
          );
        }}
      </Listed>
    </Part>
  );
}

function Row({ token }: { readonly token: Token }) {
  const client = useQueryClient();
  const { id, name, kind, devices, tags, state, last_used_at, expires_at } = token;
  return (
    <tr className={state === 'active' ? undefined : 'over'}>
      <td>
        <bdi>{name}</bdi> <span className="soft">{id}</span>
      </td>
      <td>{kind}</td>
      <td>
        <Scope devices={devices} tags={tags} />
      </td>
      <td>{when(last_used_at)}</td>
      <td>{state === 'active' ? when(expires_at) : state}</td>
      <td className="bar">
        {state === 'active' && (
          <>
            <ModalButton words="Rotate" title={`Rotate ${name}`} className="button small" label={`Rotate ${name}`}>
              {(close) => <Rotate token={token} onDone={close} />}
            </ModalButton>
            <ConfirmButton
              words="Revoke"
              sure="Revoke, at once and for good"
              label={name}
              act={async () => {
                await change('DELETE', addressOf('/api/v1/tokens/{id}', {}, { id }));
                await client.invalidateQueries({ queryKey: ['tokens'] });
              }}
            />
          </>
        )}
      </td>
    </tr>
  );
}

function NewToken({ onDone }: { readonly onDone: () => void }) {
  const client = useQueryClient();
  const [made, setMade] = useState<Made>();
  if (made) return <ShownOnce made={made} onDone={onDone} />;
  return (
    <EntryForm
      words="Make the token"
      onCancel={onDone}
      submit={async (form) => {
        setMade(await change<Made>('POST', '/api/v1/tokens', wishOf(form)));
        void client.invalidateQueries({ queryKey: ['tokens'] });
      }}
    >
      <label className="labelled">
        Name, as the program is called
        <input className="field" name="name" maxLength={64} required autoFocus autoComplete="off" />
      </label>
      <label className="labelled">
        Kind
        <select className="field" name="kind">
          {KINDS.map(([kind, words]) => (
            <option key={kind} value={kind}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label className="labelled">
        Devices, comma between; * stands for any characters; empty: all
        <input className="field" name="devices" />
      </label>
      <label className="labelled">
        To read only devices with these tags, as room=lab
        <input className="field" name="tags" />
      </label>
      <label className="labelled">
        Ends
        <select className="field" name="expires_in">
          <option value="">never</option>
          <option value="30d">in 30 days</option>
          <option value="90d">in 90 days</option>
          <option value="365d">in a year</option>
        </select>
      </label>
    </EntryForm>
  );
}

/** @throws Error for a tag that is none. */
function wishOf(form: FormData): Schema<'NewTokenDto'> {
  const devices = listOf(textOf(form, 'devices'));
  const tags = tagsOf(textOf(form, 'tags'));
  const ends = textOf(form, 'expires_in');
  return {
    name: textOf(form, 'name').trim(),
    kind: textOf(form, 'kind') as 'ingest' | 'read' | 'admin',
    ...(devices.length > 0 && { devices }),
    ...(Object.keys(tags).length > 0 && { tags }),
    ...(ends !== '' && { expires_in: ends }),
  };
}

function Rotate({ token, onDone }: { readonly token: Token; readonly onDone: () => void }) {
  const client = useQueryClient();
  const [made, setMade] = useState<Made>();
  const [asOpened] = useState(token);
  if (made) return <ShownOnce made={made} onDone={onDone} />;
  return (
    <EntryForm
      words="Make another secret"
      onCancel={onDone}
      submit={async (form) => {
        const path = addressOf('/api/v1/tokens/{id}/rotate', {}, { id: token.id });
        const rotating = change<Made>('POST', path, { overlap: textOf(form, 'overlap') }, asOpened);
        setMade(await rotating.finally(() => void client.invalidateQueries({ queryKey: ['tokens'] })));
      }}
    >
      <label className="labelled">
        The secret of before still works for
        <select className="field" name="overlap" defaultValue="1h">
          <option value="0">no time</option>
          <option value="1h">1 hour</option>
          <option value="1d">1 day</option>
          <option value="30d">30 days</option>
        </select>
      </label>
    </EntryForm>
  );
}

function ShownOnce({ made, onDone }: { readonly made: Made; readonly onDone: () => void }) {
  return (
    <>
      <CopyLine text={made.token} label="Token" />
      <p className="soft">It is shown only now. Programs send it as a header:</p>
      <CopyLine text={`Authorization: Bearer ${made.token}`} label="Header" />
      <div className="actions">
        <button type="button" className="button primary" onClick={onDone}>
          Done
        </button>
      </div>
    </>
  );
}
