import { useMutation } from '@tanstack/react-query';
import { useEffect } from 'react';
import { change } from '../../api.js';
import { useSession, type Session } from '../../data/session.js';
import { useHashSecret } from '../../parts/use-hash-secret.js';
import { useTitle } from '../../parts/use-title.js';

/** Where a link for others leads: takes the token behind # and goes to the page that the link is for. */
export default function Share() {
  useTitle('Shared page');
  const { session } = useSession();
  const token = useHashSecret();
  const { mutate, isIdle, error } = useMutation({ mutationFn: () => openShare(token) });
  const who = session?.caller;
  const isSomebody = who != null && who.kind !== 'share';
  useEffect(() => {
    if (token !== '' && session && !isSomebody && isIdle) mutate();
  }, [token, session, isSomebody, isIdle, mutate]);
  if (token === '') {
    return (
      <div className="notice bad" role="alert">
        <p>
          <strong>This link does not open.</strong> What stands behind # in it is missing: open all of the link.
        </p>
      </div>
    );
  }
  if (error) {
    return (
      <div className="notice bad" role="alert">
        <p>
          <strong>This link does not open.</strong> {error.message}
        </p>
      </div>
    );
  }
  if (!isSomebody || !isIdle) return <div className="page-wait" aria-busy="true" />;
  return (
    <div className="panel sign-in">
      <h1>Shared page</h1>
      <p>
        {who.kind === 'user' ? (
          <>
            This browser is signed in as <strong>{who.name}</strong>, and would be signed out: with the link it shows
            what the link is for, and nothing else.
          </>
        ) : (
          <>With the link this browser shows what the link is for, and nothing else, until you leave it.</>
        )}
      </p>
      <button type="button" className="button primary" onClick={() => mutate()}>
        Open it
      </button>
      <a className="button" href="/">
        Stay
      </a>
    </div>
  );
}

async function openShare(token: string): Promise<void> {
  const { caller } = await change<Session>('POST', '/api/v1/session', { token });
  const page = caller?.page ?? '/';
  // Only a page of this site.
  location.replace(/^\/(?![/\\])/.test(page) ? page : '/');
}
