import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { change, type Schema } from '../../api.js';
import { signOut, useSession } from '../../data/session.js';
import { CopyLine } from '../../parts/copy-line.js';
import { EntryForm } from '../../parts/entry-form.js';
import { textOf } from '../../parts/form.js';
import { tagsText } from '../../parts/tags.js';
import { Part, when } from './part.js';
import { QrCode } from './qr-code.js';

/** Who this is, with their password and one-time codes. */
export function You() {
  const { session } = useSession();
  const caller = session?.caller;
  if (!caller) return null;
  if (caller.kind === 'local') return <NobodyAsked />;
  const tags = tagsText(caller.tags);
  return (
    <>
      <Part
        title={caller.name}
        actions={
          <button type="button" className="button" onClick={() => void signOut()}>
            Sign out
          </button>
        }
      >
        <p>
          {caller.role ?? `Signed in by a token, ${caller.kind}`}
          {tags !== '' && `; devices with ${tags} only`}
          {caller.expires_at !== null && `; until ${when(caller.expires_at)}`}
        </p>
      </Part>
      {caller.kind === 'user' && session.has_password && (
        <>
          <Password />
          <OneTimeCodes isOn={session.totp} />
        </>
      )}
    </>
  );
}

function NobodyAsked() {
  return (
    <div className="notice">
      <p>
        <strong>On this machine nobody has to sign in</strong> while there is no user. With the first one, who is an
        admin, everybody signs in.
      </p>
      <Link className="button primary" href="/setup">
        Make the first user
      </Link>
    </div>
  );
}

function Password() {
  const [changed, setChanged] = useState(0);
  return (
    <Part title="Password">
      <EntryForm
        key={changed}
        words="Change the password"
        submit={async (form) => {
          await change('PUT', '/api/v1/session/password', {
            password: textOf(form, 'password'),
            new_password: textOf(form, 'new_password'),
          });
          setChanged(changed + 1);
        }}
      >
        <label className="labelled">
          The one now
          <input className="field" name="password" type="password" autoComplete="current-password" required />
        </label>
        <label className="labelled">
          The new one, at least 10 characters
          <input
            className="field"
            name="new_password"
            type="password"
            autoComplete="new-password"
            minLength={10}
            maxLength={200}
            required
          />
        </label>
      </EntryForm>
      {changed > 0 && <p role="status">It is changed. Other browsers are signed out.</p>}
    </Part>
  );
}

type Offer = Schema<'TotpOfferDto'>;

/** Codes of an app, asked for besides the password. */
function OneTimeCodes({ isOn }: { readonly isOn: boolean }) {
  const client = useQueryClient();
  const [offer, setOffer] = useState<Offer>();
  const again = (): Promise<void> => client.invalidateQueries({ queryKey: ['session'] });
  if (isOn) {
    return (
      <Part title="One-time codes">
        <p>Besides the password, the code that your app shows is asked for.</p>
        <EntryForm
          words="Ask for no codes any more"
          submit={async (form) => {
            await change('DELETE', '/api/v1/session/totp', { password: textOf(form, 'password') });
            await again();
          }}
        >
          <label className="labelled">
            Password
            <input className="field" name="password" type="password" autoComplete="current-password" required />
          </label>
        </EntryForm>
      </Part>
    );
  }
  if (!offer) {
    return (
      <Part title="One-time codes">
        <EntryForm
          words="Set them up"
          submit={async () => setOffer(await change<Offer>('POST', '/api/v1/session/totp'))}
        >
          <p>A stolen password is then not enough: a code of an app on your phone is asked for, too.</p>
        </EntryForm>
      </Part>
    );
  }
  return (
    <Part title="One-time codes">
      <EntryForm
        words="Turn them on"
        onCancel={() => setOffer(undefined)}
        submit={async (form) => {
          await change('PUT', '/api/v1/session/totp', { code: textOf(form, 'code').trim() });
          setOffer(undefined);
          await again();
        }}
      >
        <p>Scan this with the app, or type the secret into it.</p>
        <QrCode text={offer.uri} />
        <CopyLine text={offer.secret} label="Secret of the one-time codes" />
        <label className="labelled">
          Code that the app shows
          <input
            className="field"
            name="code"
            inputMode="numeric"
            autoComplete="one-time-code"
            pattern="\d{6}"
            title="6 digits"
            required
          />
        </label>
      </EntryForm>
    </Part>
  );
}
