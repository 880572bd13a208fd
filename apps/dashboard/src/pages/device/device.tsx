import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { Link, Redirect } from 'wouter';
import { useAddress, useTimeWindow } from '../../address.js';
import { ApiError, read } from '../../api.js';
import { DeviceChart } from '../../charts/device-chart.js';
import { ownSectionsOf, sectionsOf, type Section } from '../../data/chart-specs.js';
import { useLiveDevice } from '../../data/use-live-device.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { TimeBar } from '../../parts/time-bar.js';
import { useTitle } from '../../parts/use-title.js';
import { DeviceHead } from './device-head.js';
import { ProcessesAt } from './processes-at.js';
import './device.css';

/** Everything of one device on one axis of time. */
export default function Device() {
  const device = nameInAddress();
  return device === '' ? <Redirect to="/" /> : <DeviceOf device={device} />;
}

function DeviceOf({ device }: { device: string }) {
  useTitle(device);
  const known = useQuery({
    queryKey: ['device', device],
    queryFn: ({ signal }) => read('/api/v1/devices/{device_name}', {}, { signal, names: { device_name: device } }),
    refetchInterval: 15_000,
  });
  const series = useQuery({
    queryKey: ['latest', 'device', device],
    queryFn: async ({ signal }) => {
      const { samples } = await read('/api/v1/reports/latest', { device_name: [device] }, { signal });
      // The parameter is a pattern; the name may have a *.
      return samples.filter(({ device_name }) => device_name === device);
    },
    refetchInterval: 60_000,
  });
  const { window, zone, setWindow } = useTimeWindow();
  const address = useAddress();
  const tab = address.get('tab') === 'collector' ? 'collector' : 'metrics';
  const { set } = address;
  const moment = Date.parse(address.get('at') ?? '');
  const picked = Number.isNaN(moment) ? undefined : moment;
  const pick = useCallback(
    (time: number | undefined) =>
      set({ at: time === undefined ? undefined : new Date(time).toISOString() }, { replace: true }),
    [set],
  );
  useLiveDevice(device, window.kind === 'live');

  const zoom = useCallback(
    (start: number, end: number) => setWindow({ kind: 'fixed', start: Math.round(start), end: Math.round(end) }),
    [setWindow],
  );
  const names = JSON.stringify(series.data?.map(({ metric_name, labels, unit }) => [metric_name, labels, unit]));
  const sections = useMemo(
    () => ({ metrics: sectionsOf(series.data ?? []), collector: ownSectionsOf(series.data ?? []) }),
    // The values change all the time, the series hardly ever.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [names],
  );
  const failed = known.error ?? series.error;
  if (failed && (!known.data || !series.data))
    return <Missing name={device} error={failed} onRetry={() => void known.refetch()} />;
  if (!known.data || !series.data) return <div className="page-wait" aria-busy="true" />;
  const hasProcesses = series.data.some(({ metric_name }) => metric_name === 'process.cpu.utilization');
  const only = address.get('chart');
  const ofTab = sections[tab].length > 0 ? sections[tab] : sections[tab === 'metrics' ? 'collector' : 'metrics'];
  const shown = only === undefined ? ofTab : onlyChart([...sections.metrics, ...sections.collector], only);
  return (
    <>
      <DeviceHead device={known.data} />
      <div className="device-bar">
        <TimeBar />
        {only === undefined && sections.collector.length > 0 && sections.metrics.length > 0 && (
          <nav className="segments" aria-label="Part of the device">
            {(['metrics', 'collector'] as const).map((each) => (
              <button
                key={each}
                type="button"
                aria-pressed={tab === each}
                onClick={() => address.set({ tab: each === 'collector' ? each : undefined })}
              >
                {each === 'metrics' ? 'Metrics' : 'Collector and api'}
              </button>
            ))}
          </nav>
        )}
      </div>
      {picked !== undefined && (
        <ProcessesAt
          device={device}
          time={picked}
          zone={zone}
          interval={known.data.interval}
          onClose={() => pick(undefined)}
        />
      )}
      {only !== undefined && known.data && (
        <p className="no-kiosk">
          <button type="button" className="button small" onClick={() => address.set({ chart: undefined })}>
            Show all of the device
          </button>
        </p>
      )}
      <div className="device-sections">
        {shown.map((section) => (
          <SectionCharts key={section.id} section={section}>
            {section.charts.map((spec) => (
              <DeviceChart
                key={spec.id}
                device={device}
                interval={known.data.interval}
                spec={spec}
                window={window}
                zone={zone}
                onZoom={zoom}
                onPick={hasProcesses ? pick : undefined}
              />
            ))}
          </SectionCharts>
        ))}
      </div>
    </>
  );
}

/** The one chart that an address names. */
const onlyChart = (sections: readonly Section[], id: string): Section[] =>
  sections
    .map((section) => ({ ...section, closed: false, charts: section.charts.filter((spec) => spec.id === id) }))
    .filter(({ charts }) => charts.length > 0)
    .slice(0, 1);

/** As it stands in the address: the router would take a / or a % of the name for one of the path. */
function nameInAddress(): string {
  const escaped = location.pathname.slice('/devices/'.length);
  try {
    return decodeURIComponent(escaped);
  } catch {
    return escaped;
  }
}

function SectionCharts({ section, children }: { section: Section; children: React.ReactNode }) {
  const { all, set } = useAddress();
  const opened = all('open');
  const open = !section.closed || opened.includes(section.id);
  const toggle = (): void =>
    set({ open: open ? opened.filter((id) => id !== section.id) : [...opened, section.id] }, { replace: true });
  return (
    <section className="device-section" aria-labelledby={`section-${section.id}`}>
      <h2 id={`section-${section.id}`}>
        {section.closed ? (
          <button type="button" className="button plain" aria-expanded={open} onClick={toggle}>
            {open ? '▾' : '▸'} {section.title} <span className="soft">{section.charts.length}</span>
          </button>
        ) : (
          section.title
        )}
      </h2>
      {open && <div className="charts">{children}</div>}
    </section>
  );
}

function Missing({ name, error, onRetry }: { name: string; error: Error; onRetry: () => void }) {
  if (!(error instanceof ApiError) || error.status !== 404) {
    return <ProblemNotice what="This device could not be read." error={error} onRetry={onRetry} />;
  }
  return (
    <div className="notice warn">
      <p>
        There is no device <strong dir="auto">{name}</strong>. It may have been deleted or renamed.
      </p>
      <Link className="button" href="/">
        To the devices
      </Link>
    </div>
  );
}
