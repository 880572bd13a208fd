import { useAddress } from '../../address.js';
import { useMaySetUp, useSession } from '../../data/session.js';
import { useTitle } from '../../parts/use-title.js';
import './alerts.css';
import { Changes } from './changes.js';
import { Channels } from './channels.js';
import { Now } from './now.js';
import { Quiet } from './quiet.js';
import { Rules } from './rules.js';
import { StatusSetup } from './status-setup.js';

const TABS = [
  ['now', 'Now', () => <Now />],
  ['history', 'History', () => <Changes />],
  ['rules', 'Rules', () => <Rules />],
  ['quiet', 'Silences', () => <Quiet />],
  ['channels', 'Channels', () => <Channels />],
  ['status', 'Status page', () => <StatusSetup />],
] as const;
const OF_THE_SITE: ReadonlySet<string> = new Set(['quiet', 'channels']);

/** What is wrong, what was, what is watched, and who is told. */
export default function Alerts() {
  useTitle('Alerts');
  const { get, set } = useAddress();
  const maySetUp = useMaySetUp();
  const tags = useSession().session?.caller?.tags ?? null;
  // Who is limited to some devices is told nothing of what is of the whole site.
  const tabs = TABS.filter(([key]) => (key === 'status' ? maySetUp : tags === null || !OF_THE_SITE.has(key)));
  const tab = tabs.find(([key]) => key === get('tab')) ?? TABS[0];
  return (
    <>
      <div className="page-head">
        <h1 className="grow">Alerts</h1>
        <div className="segments" role="group" aria-label="Part of the page">
          {tabs.map(([key, words]) => (
            <button key={key} type="button" aria-pressed={key === tab[0]} onClick={() => set({ tab: key })}>
              {words}
            </button>
          ))}
        </div>
      </div>
      {tab[2]()}
    </>
  );
}
