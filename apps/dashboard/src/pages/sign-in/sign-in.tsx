import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { addressOf, ApiError, change } from '../../api.js';
import { become, useSession, type Session } from '../../data/session.js';
import { EntryForm } from '../../parts/entry-form.js';
import { textOf } from '../../parts/form.js';

/** What it says where the way through the provider ended here again. */
const OPENID_PROBLEMS: Readonly<Record<string, string>> = {
  refused: 'The provider did not let you in.',
  'not-allowed': 'The provider knows you, but none of your groups may use this server.',
  late: 'That took too long, or was begun in another browser. Try again.',
  unreachable: 'The provider does not answer; the log of the api says why.',
};

/**
 * Asks who this is: by name and password, and by the code of an app where the user has one; or by an OpenID provider.
 *
 * @param before whose session has ended on this page.
 */
export function SignIn({ before }: { before?: string | undefined }) {
  const { session } = useSession();
  const client = useQueryClient();
  const [asksCode, setAsksCode] = useState(false);
  if (session?.first_user && !session.openid) return <NobodyYet />;
  const problem = new URLSearchParams(location.search).get('openid-problem');
  const submit = async (form: FormData): Promise<void> => {
    const totp = textOf(form, 'totp').trim();
    const wish = { name: textOf(form, 'name'), password: textOf(form, 'password'), ...(totp !== '' && { totp }) };
    try {
      become(client, await change<Session>('POST', '/api/v1/session', wish), before);
    } catch (error) {
      const isAsked = error instanceof ApiError && error.body['totp_required'] === true;
      if (!isAsked || asksCode) throw error;
      setAsksCode(true);
    }
  };
  const page = location.pathname + location.search.replace(/[?&]openid-problem=[^&]*/, '');
  return (
    <div className="panel sign-in">
      <h1>Sign in</h1>
      {problem !== null && (
        <p className="bad-text" role="alert">
          {OPENID_PROBLEMS[problem] ?? OPENID_PROBLEMS['refused']}
        </p>
      )}
      {session?.openid && (
        <>
          <a className="button primary" href={addressOf('/api/v1/session/openid', { page })}>
            Sign in with {session.openid.name}
          </a>
          <p className="soft">Or with a name of this server:</p>
        </>
      )}
      <EntryForm words="Sign in" submit={submit}>
        <label className="labelled">
          Name
          <input className="field" name="name" autoComplete="username" required autoFocus readOnly={asksCode} />
        </label>
        <label className="labelled">
          Password
          <input
            className="field"
            name="password"
            type="password"
            autoComplete="current-password"
            required
            readOnly={asksCode}
          />
        </label>
        {asksCode && (
          <label className="labelled">
            Code that your app shows
            <input
              className="field"
              name="totp"
              inputMode="numeric"
              autoComplete="one-time-code"
              pattern="\d{6}"
              title="6 digits"
              required
              autoFocus
            />
          </label>
        )}
      </EntryForm>
    </div>
  );
}

function NobodyYet() {
  return (
    <div className="panel sign-in">
      <h1>There is no user yet</h1>
      <p>
        The log of the api has a link that makes the first one, once. On the server itself this page opens without it.
      </p>
    </div>
  );
}
