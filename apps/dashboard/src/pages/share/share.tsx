import { useEffect, useState } from 'react';
import { ApiError, change } from '../../api.js';
import { useTitle } from '../../parts/use-title.js';

/** Where a link for others leads: takes the token behind # and goes to the page that the link is for. */
export default function Share() {
  useTitle('Shared page');
  const [mistake, setMistake] = useState('');
  useEffect(() => {
    const token = location.hash.slice(1);
    // No trace of the token stays in the address.
    history.replaceState(null, '', location.pathname);
    void openShare(token).catch((error: unknown) => {
      setMistake(error instanceof ApiError ? error.message : String(error));
    });
  }, []);
  return mistake === '' ? (
    <div className="page-wait" aria-busy="true" />
  ) : (
    <div className="notice bad" role="alert">
      <p>
        <strong>This link does not open.</strong> {mistake}
      </p>
    </div>
  );
}

async function openShare(token: string): Promise<void> {
  const session = await change<{ page?: string | null }>('POST', '/api/v1/session', { token });
  const page = session.page ?? '/';
  // Only a page of this site.
  location.replace(/^\/(?![/\\])/.test(page) ? page : '/');
}
