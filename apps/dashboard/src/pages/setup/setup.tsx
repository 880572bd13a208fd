import { useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'wouter';
import { change } from '../../api.js';
import { become, useSession, type Session } from '../../data/session.js';
import { EntryForm } from '../../parts/entry-form.js';
import { textOf } from '../../parts/form.js';
import { useHashSecret } from '../../parts/use-hash-secret.js';
import { useTitle } from '../../parts/use-title.js';

/** Makes the first admin: by the link of the log, or on the server itself. */
export default function Setup() {
  useTitle('First user');
  const { session } = useSession();
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const code = new URLSearchParams(useHashSecret()).get('code') ?? undefined;
  if (!session) return <div className="page-wait" aria-busy="true" />;
  if (!session.first_user) return <Done />;
  if (code === undefined && session.caller === null) return <LinkNeeded />;
  const submit = async (form: FormData): Promise<void> => {
    const [password, again] = [textOf(form, 'password'), textOf(form, 'again')];
    if (password !== again) throw new Error('The passwords differ.');
    const wish = { name: textOf(form, 'name').trim(), password, ...(code !== undefined && { code }) };
    become(client, await change<Session>('POST', '/api/v1/session/first-admin', wish));
    navigate('/access');
  };
  return (
    <div className="panel sign-in">
      <h1>Make the first user</h1>
      <p>This is an admin, who makes the others. From then on everybody signs in, and programs send a token.</p>
      <EntryForm words="Make it and sign in" submit={submit}>
        <label className="labelled">
          Name
          <input className="field" name="name" autoComplete="username" maxLength={64} required autoFocus />
        </label>
        <label className="labelled">
          Password, at least 10 characters
          <input
            className="field"
            name="password"
            type="password"
            autoComplete="new-password"
            minLength={10}
            maxLength={200}
            required
          />
        </label>
        <label className="labelled">
          The same again
          <input className="field" name="again" type="password" autoComplete="new-password" required />
        </label>
      </EntryForm>
    </div>
  );
}

function Done() {
  return (
    <div className="notice">
      <p>
        <strong>There is a user already.</strong> The link of the log worked once.
      </p>
      <a className="button" href="/">
        Sign in
      </a>
    </div>
  );
}

function LinkNeeded() {
  return (
    <div className="notice warn">
      <p>
        <strong>The first user is made by the link in the log of the api.</strong> It ends in /setup#code=… and works
        once, until the api starts again. On the server itself this page works without it.
      </p>
    </div>
  );
}
