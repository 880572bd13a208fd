import { useAddress } from '../../address.js';
import { useSession } from '../../data/session.js';
import { useTitle } from '../../parts/use-title.js';
import './access.css';
import { AuditLog } from './audit-log.js';
import { Collectors } from './collectors.js';
import { Links } from './links.js';
import { Tokens } from './tokens.js';
import { Users } from './users.js';
import { You } from './you.js';

const TABS = [
  { key: 'you', words: 'You', needs: undefined, Show: You },
  { key: 'users', words: 'Users', needs: 'access:manage', Show: Users },
  { key: 'tokens', words: 'Tokens', needs: 'access:manage', Show: Tokens },
  { key: 'collectors', words: 'Collectors', needs: 'access:manage', Show: Collectors },
  { key: 'links', words: 'Shared links', needs: 'shares:write', Show: Links },
  { key: 'audit', words: 'Audit', needs: 'audit:read', Show: AuditLog },
] as const;

/** Who gets in, and what they may do. */
export default function Access() {
  useTitle('Access');
  const { session } = useSession();
  const { get, set } = useAddress();
  const rights = session?.caller?.rights ?? [];
  const tabs = TABS.filter(({ needs }) => needs === undefined || rights.includes(needs));
  const { key: shown, Show } = tabs.find(({ key }) => key === get('tab')) ?? TABS[0];
  return (
    <>
      <div className="page-head">
        <h1 className="grow">Access</h1>
        {tabs.length > 1 && (
          <div className="segments" role="group" aria-label="Part of the page">
            {tabs.map(({ key, words }) => (
              <button key={key} type="button" aria-pressed={key === shown} onClick={() => set({ tab: key })}>
                {words}
              </button>
            ))}
          </div>
        )}
      </div>
      <Show />
    </>
  );
}
