import { useAddress } from '../../address.js';
import { useTitle } from '../../parts/use-title.js';
import './alerts.css';
import { Changes } from './changes.js';
import { Now } from './now.js';
import { Messages } from './messages.js';
import { Rules } from './rules.js';
import { Setup } from './setup.js';

const TABS = [
  ['now', 'Now', () => <Now />],
  ['history', 'History', () => <Changes />],
  ['rules', 'Rules', () => <Rules />],
  ['quiet', 'Silences', () => <Quiet />],
  ['channels', 'Channels', () => <Channels />],
] as const;

/** What is wrong, what was, what is watched, and who is told. */
export default function Alerts() {
  useTitle('Alerts');
  const { get, set } = useAddress();
  const tab = TABS.find(([key]) => key === get('tab')) ?? TABS[0];
  return (
    <>
      <div className="page-head">
        <h1 className="grow">Alerts</h1>
        <div className="segments" role="group" aria-label="Part of the page">
          {TABS.map(([key, words]) => (
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

function Quiet() {
  return (
    <div className="stack">
      <Setup
        kind="silences"
        title="Silences"
        what="Nobody is told of what is silenced; it stays in the history."
        example={{ select: { device: 'lab-*' }, for: '2h', comment: 'New fan is ordered.' }}
      />
      <Setup
        kind="maintenance"
        title="Maintenance windows"
        what="Once (from, until), weekly, or by cron."
        example={{
          select: { tag: 'room=lab' },
          weekly: { days: ['tue'], at: '22:00' },
          duration: '2h',
          timezone: 'Europe/Berlin',
        }}
      />
      <Setup
        kind="dependencies"
        title="Dependencies"
        what="While a device is away, nobody is told of those behind it."
        example={{ devices: { tag: 'room=lab' }, on: 'lab-switch' }}
      />
    </div>
  );
}

function Channels() {
  return (
    <div className="stack">
      <Setup
        kind="channels"
        title="Channels"
        what="Ways to tell somebody. Secrets may be ${ALERTS_…} of the api’s environment, and are never shown again."
        example={{ type: 'ntfy', topic: '${ALERTS_NTFY_TOPIC}' }}
        testable
      />
      <Setup
        kind="routes"
        title="Routes"
        what="Who hears of what. While there is none, every alert goes to every channel."
        example={{
          select: { severity: 'critical' },
          channels: ['phone'],
          group_by: ['rule', 'severity'],
          repeat: '4h',
        }}
      />
      <Messages />
    </div>
  );
}
