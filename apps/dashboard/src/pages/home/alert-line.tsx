import { Link } from 'wouter';
import { isOpen, useAlerts } from '../../data/use-alerts.js';

/** How many alerts are named before the rest becomes a number. */
const NAMED = 6;
/** What the list of problems says by itself. */
const SAID = new Set(['Device offline', 'Source fails', 'Data damaged', 'Samples refused']);

export const useOpenAlerts = () => {
  const { data } = useAlerts();
  return (data?.alerts ?? []).filter((alert) => isOpen(alert) && alert.severity !== 'info' && !SAID.has(alert.rule));
};

/** The alerts that are open. */
export function AlertLine({ alerts }: { alerts: ReturnType<typeof useOpenAlerts> }) {
  if (alerts.length === 0) return null;
  const critical = alerts.some(({ severity }) => severity === 'critical');
  return (
    <li>
      <strong className={critical ? 'bad-text' : undefined}>
        {alerts.length} {alerts.length === 1 ? 'alert' : 'alerts'}
      </strong>
      <span className="links">
        {alerts.slice(0, NAMED).map(({ id, rule, summary }) => (
          <Link key={id} href="/alerts">
            {rule}: <bdi>{summary}</bdi>
          </Link>
        ))}
        {alerts.length > NAMED && <Link href="/alerts">all {alerts.length}</Link>}
      </span>
    </li>
  );
}
