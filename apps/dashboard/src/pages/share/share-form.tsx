import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { change, type Schema } from '../../api.js';
import { CopyLine } from '../../parts/copy-line.js';
import { EntryForm } from '../../parts/entry-form.js';
import { textOf } from '../../parts/form.js';
import { ModalButton } from '../../parts/modal-button.js';
import { listOf, tagsOf } from '../../parts/tags.js';
import { useMay } from '../../data/session.js';
import { timeText } from '../../time-window.js';

type Made = Schema<'MadeShareDto'>;

interface Shared {
  readonly name?: string;
  /** The page to show, a path with its query. */
  readonly page?: string;
  /** The devices that the link is for, where that is settled. */
  readonly devices?: readonly string[];
}

/** The button that makes a link to look at a page, for who may. */
export function ShareButton({ words = 'Share', ...shared }: Shared & { readonly words?: string }) {
  const may = useMay('shares:write');
  if (!may) return null;
  return (
    <ModalButton words={words} title="Share a link" className="button no-kiosk">
      {(close) => <ShareForm shared={shared} onClose={close} />}
    </ModalButton>
  );
}

export function ShareForm({ shared, onClose }: { readonly shared: Shared; readonly onClose: () => void }) {
  const client = useQueryClient();
  const [made, setMade] = useState<Made>();
  const submit = async (form: FormData): Promise<void> => {
    setMade(await change<Made>('POST', '/api/v1/shares', wishOf(form, shared)));
    void client.invalidateQueries({ queryKey: ['shares'] });
  };
  if (made) return <MadeLink made={made} onClose={onClose} />;
  return (
    <EntryForm words="Make the link" submit={submit} onCancel={onClose}>
      <p>Whoever has the link sees, and changes nothing. It shows only the devices that it is for, and all of these.</p>
      <label className="labelled">
        Who it is for
        <input className="field" name="name" maxLength={64} required defaultValue={shared.name ?? ''} autoFocus />
      </label>
      <label className="labelled">
        Page
        <input className="field" name="page" required defaultValue={shared.page ?? '/'} />
      </label>
      {shared.devices ? (
        <p>
          Devices: <bdi>{shared.devices.join(', ')}</bdi>
        </p>
      ) : (
        <>
          <label className="labelled">
            Devices, comma between; * stands for any characters
            <input className="field" name="devices" />
          </label>
          <label className="labelled">
            Or tags that they have, as room=lab
            <input className="field" name="tags" />
          </label>
        </>
      )}
      <label className="labelled">
        Good for
        <select className="field" name="expires_in" defaultValue="30d">
          <option value="1d">1 day</option>
          <option value="7d">7 days</option>
          <option value="30d">30 days</option>
          <option value="365d">1 year</option>
        </select>
      </label>
      <label className="inline-label">
        <input type="checkbox" name="kiosk" />
        <span>For a screen on the wall: without anything to click</span>
      </label>
    </EntryForm>
  );
}

function MadeLink({ made, onClose }: { readonly made: Made; readonly onClose: () => void }) {
  const ends = made.expires_at === null ? '' : ` until ${timeText(Date.parse(made.expires_at), 'local', false)}`;
  return (
    <>
      <CopyLine text={new URL(made.url, location.href).href} label="Link" />
      <p className="soft">
        It works{ends}, or until it is withdrawn under Access. The link is shown only now.
        {/^(localhost|127\.)/.test(location.hostname) && ' 127.0.0.1 in it is this machine: others need its address.'}
      </p>
      <div className="actions">
        <button type="button" className="button primary" onClick={onClose}>
          Done
        </button>
      </div>
    </>
  );
}

/** @throws Error for what is no page of this site, or no tag. */
function wishOf(form: FormData, { devices }: Shared): Schema<'NewShareDto'> {
  const page = new URL(textOf(form, 'page').trim(), location.origin);
  if (page.origin !== location.origin) throw new Error('The page must be one of this site.');
  if (form.has('kiosk')) page.searchParams.set('kiosk', '1');
  const named = devices ?? listOf(textOf(form, 'devices'));
  const tags = tagsOf(textOf(form, 'tags'));
  return {
    name: textOf(form, 'name').trim(),
    page: page.pathname + page.search,
    expires_in: textOf(form, 'expires_in'),
    ...(named.length > 0 && { devices: [...named] }),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
}
