import { useRef, useState } from 'react';
import { ApiError, change, type Schema } from '../../api.js';
import { CopyLine } from '../../parts/copy-line.js';
import { useMay } from '../../data/session.js';
import { textOf } from '../../parts/form.js';
import { tagsOf } from '../../parts/tags.js';
import { timeText } from '../../time-window.js';

/** The command that starts a collector which sends to this api, where the api asks nobody who they are. */
export const collectorCommand = (origin: string): string =>
  `npm ci && npm run build && API_URL=${origin} node apps/collector/dist/main.js`;

/** The button that says how one more PC comes into the table. */
export function AddDevice() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [open, setOpen] = useState(false);
  const may = useMay('access:manage');
  if (!may) return null;
  return (
    <>
      <button
        type="button"
        className="button primary no-kiosk"
        onClick={() => {
          setOpen(true);
          requestAnimationFrame(() => dialog.current?.showModal());
        }}
      >
        Add a PC
      </button>
      <dialog ref={dialog} aria-labelledby="add-device-title" onClose={() => setOpen(false)}>
        {open && <Invitation onClose={() => dialog.current?.close()} />}
      </dialog>
    </>
  );
}

type Made = Schema<'MadeInvitationDto'>;

/** Makes an invitation and shows the one line to run on the PC. */
function Invitation({ onClose }: { onClose: () => void }) {
  const [made, setMade] = useState<Made>();
  const [mistake, setMistake] = useState('');
  const [busy, setBusy] = useState(false);
  const make = async (form: FormData): Promise<void> => {
    setBusy(true);
    setMistake('');
    try {
      setMade(await change<Made>('POST', '/api/v1/invitations', wishOf(form)));
    } catch (error) {
      setMistake(error instanceof ApiError || error instanceof Error ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void make(new FormData(event.currentTarget));
      }}
    >
      <h2 id="add-device-title">Add a PC</h2>
      {made ? (
        <>
          <p>
            Run this on that PC, in the folder of Device Metrics, once it is built (npm ci &amp;&amp; npm run build):
          </p>
          <CopyLine text={made.command} label="Command that joins the PC" />
          <p className="soft">
            It is good for {made.max_uses === 1 ? 'one PC' : `${made.max_uses} PCs`} until{' '}
            {timeText(Date.parse(made.expires_at), 'local', false)}. The code is shown only now. The PC appears in the
            table with its first reading.
          </p>
        </>
      ) : (
        <>
          <p>An invitation lets a collector join, and gives it a token of its own.</p>
          <div className="bar">
            <label className="labelled">
              For how many PCs
              <input className="field" name="uses" type="number" min={1} max={1000} defaultValue={1} required />
            </label>
            <label className="labelled">
              Good for
              <select className="field" name="expires_in" defaultValue="1h">
                <option value="1h">1 hour</option>
                <option value="1d">1 day</option>
                <option value="7d">7 days</option>
              </select>
            </label>
            <label className="labelled">
              Tags, as room=lab, comma between
              <input className="field" name="tags" />
            </label>
          </div>
          <p className="soft">
            Switches, sensors and other things on the network are read by a collector too: name them in its
            collector.yaml.
          </p>
        </>
      )}
      {mistake !== '' && (
        <p className="bad-text" role="alert">
          {mistake}
        </p>
      )}
      <div className="actions">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
        {!made && (
          <button type="submit" className="button primary" disabled={busy}>
            Make an invitation
          </button>
        )}
      </div>
    </form>
  );
}

/** @throws Error for a tag that is none. */
function wishOf(form: FormData): Schema<'NewInvitationDto'> {
  const tags = tagsOf(textOf(form, 'tags'));
  return {
    uses: Number(textOf(form, 'uses')),
    expires_in: textOf(form, 'expires_in'),
    ...(Object.keys(tags).length > 0 && { tags }),
  };
}
