import { Link } from 'wouter';
import { OPEN, useAlerts, type Alert } from '../../data/use-alerts.js';

/** How many alerts are named before the rest becomes a number. */
const NAMED = 6;
/** What the list of problems says by itself. */
const SAID = new Set(['Device offline', 'Source fails', 'Data damaged', 'Samples refused']);

/** How many alerts are open, and the worst of them; what the list of problems says by itself is left out, and what is no problem. */
export function useOpenAlerts(): { count: number; critical: boolean; alerts: readonly Alert[] } {
  const all = useAlerts({ state: OPEN, limit: 1 });
  const groups = (all.data?.groups ?? []).filter(({ rule, severity }) => severity !== 'info' && !SAID.has(rule));
  const rule = [...new Set(groups.map((group) => group.rule))];
  const { data } = useAlerts({ state: OPEN, rule, limit: NAMED }, rule.length > 0);
  return {
    count: groups.reduce((sum, { count }) => sum + count, 0),
    critical: groups.some(({ severity }) => severity === 'critical'),
    alerts: (data?.alerts ?? []).filter((alert) => rule.includes(alert.rule) && alert.severity !== 'info'),
  };
}

/** The alerts that are open. */
export function AlertLine({ open: { count, critical, alerts } }: { open: ReturnType<typeof useOpenAlerts> }) {
  if (count === 0) return null;
  return (
    <li>
      <strong className={critical ? 'bad-text' : undefined}>
        {count} {count === 1 ? 'alert' : 'alerts'}
      </strong>
      <span className="links">
        {alerts.map(({ id, rule, summary }) => (
          <Link key={id} href="/alerts">
            {rule}: <bdi>{summary}</bdi>
          </Link>
        ))}
        {count > alerts.length && <Link href="/alerts">all {count}</Link>}
      </span>
    </li>
  );
}
