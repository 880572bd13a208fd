import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { read } from '../../api.js';
import type { FleetDevice } from '../../data/fleet.js';
import { serverMetrics } from '../../data/server-metrics.js';
import { AlertLine, useOpenAlerts } from './alert-line.js';
import { nameOf } from './arrange.js';

/** How many devices of a problem are named before the rest becomes a number. */
const NAMED = 6;

/** What is wrong, worst first; nothing where nothing is. */
export function Problems({ devices }: { devices: readonly FleetDevice[] }) {
  const open = useOpenAlerts();
  const server = useQuery({
    queryKey: ['server-metrics'],
    queryFn: async ({ signal }) => serverMetrics(await read('/metrics', {}, { signal })),
    refetchInterval: 30_000,
  });
  const sources = useQuery({
    queryKey: ['latest', 'sources'],
    queryFn: ({ signal }) => read('/api/v1/reports/latest', { metric_name: ['collector.source.success'] }, { signal }),
    refetchInterval: 30_000,
  });
  const offline = devices.filter(({ status }) => status === 'offline');
  const late = devices.filter(({ status }) => status === 'late');
  const silent = new Set(offline.map(({ device }) => device.device_name));
  const failing = (sources.data?.samples ?? []).filter(
    ({ value, device_name }) => value === 0 && !silent.has(device_name),
  );
  const damaged = server.data?.sum('device_metrics_store_damaged') ?? 0;
  const refused = server.data?.sum('device_metrics_items_rejected_total') ?? 0;
  if (offline.length + late.length + failing.length + damaged + refused + open.count === 0) return null;
  return (
    <ul className="problems panel" aria-label="Problems">
      {damaged > 0 && (
        <li>
          <strong className="bad-text">Damaged data</strong>
          <span>
            {damaged} {damaged === 1 ? 'piece' : 'pieces'} of the database set aside: samples are lost.
          </span>
          <Link href="/system">System</Link>
        </li>
      )}
      <AlertLine open={open} />
      <Silent words="offline" devices={offline} />
      <Silent words="late" devices={late} />
      {failing.length > 0 && (
        <li>
          <strong>
            {failing.length} {failing.length === 1 ? 'source fails' : 'sources fail'}
          </strong>
          <span className="links">
            {failing.slice(0, NAMED).map(({ device_name, labels }) => {
              const source = Object.values(labels).join(', ');
              return (
                <Link
                  key={`${device_name} ${source}`}
                  href={`/devices/${encodeURIComponent(device_name)}?tab=collector`}
                >
                  <bdi>{source}</bdi> of <bdi>{device_name}</bdi>
                </Link>
              );
            })}
            {failing.length > NAMED && <span className="soft">and {failing.length - NAMED} more</span>}
          </span>
        </li>
      )}
      {refused > 0 && (
        <li>
          <strong>
            {refused.toLocaleString('en')} {refused === 1 ? 'item' : 'items'} refused
          </strong>
          <span className="soft">since the api started; the answer to each upload said why.</span>
          <Link href="/system">System</Link>
        </li>
      )}
    </ul>
  );
}

function Silent({ words, devices }: { words: 'late' | 'offline'; devices: readonly FleetDevice[] }) {
  if (devices.length === 0) return null;
  return (
    <li>
      <strong className={words === 'offline' ? 'bad-text' : undefined}>
        {devices.length} {devices.length === 1 ? 'device' : 'devices'} {words}
      </strong>
      <span className="links">
        {devices.slice(0, NAMED).map((device) => (
          <Link key={device.device.device_name} href={`/devices/${encodeURIComponent(device.device.device_name)}`}>
            <bdi>{nameOf(device)}</bdi>
          </Link>
        ))}
        {devices.length > NAMED && <Link href={`/?status=${words}`}>all {devices.length}</Link>}
      </span>
    </li>
  );
}
