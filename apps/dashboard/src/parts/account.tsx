import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { signOut, useMay, useSession } from '../data/session.js';
import { loadCollectors } from '../pages/access/load-collectors.js';
import { dateText } from '../time-window.js';

/** Who this is, in the frame of all pages, and what waits for a decision of theirs. */
export function Account() {
  const { session } = useSession();
  const caller = session?.caller;
  if (!caller || caller.kind === 'local') return <Undecided />;
  const isGuest = caller.kind === 'share';
  const ends = caller.expires_at === null ? '' : ` until ${dateText(Date.parse(caller.expires_at), 'local')}`;
  return (
    <div className="account">
      <Undecided />
      {isGuest ? (
        <span className="soft">To look at{ends}</span>
      ) : (
        <Link href="/access" className="who">
          <bdi>{caller.name}</bdi>
        </Link>
      )}
      <button type="button" className="button small" onClick={() => void signOut()}>
        {isGuest ? 'Leave' : 'Sign out'}
      </button>
    </div>
  );
}

/** That a collector waits until an admin says what it is: what it reads piles up there. */
function Undecided() {
  const may = useMay('access:manage');
  const { data } = useQuery({
    queryKey: ['collectors'],
    queryFn: ({ signal }) => loadCollectors(signal),
    enabled: may,
    refetchInterval: 60_000,
    staleTime: 60_000,
  });
  const count = data?.collectors.filter(({ state }) => state === 'conflict').length ?? 0;
  if (!may || count === 0) return null;
  return (
    <Link href="/access?tab=collectors" className="undecided">
      {count === 1 ? 'A PC waits for you' : `${count} PCs wait for you`}
    </Link>
  );
}
