import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import { read } from '../../api.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { VersionNote, Waves } from './updates.js';
import { useNow } from '../../parts/use-now.js';
import { ago, formatterOf } from '../../units.js';

const bytes = formatterOf('By');
const seconds = formatterOf('s');
const whole = (value: number | undefined): string =>
  value === undefined ? '–' : Math.round(value).toLocaleString('en');
const waiting = (samples: number | undefined): string =>
  samples === undefined ? '–' : `${whole(samples)} ${samples === 1 ? 'sample' : 'samples'}`;

/** A collector as it told of itself last. */
interface Collector {
  readonly device: string;
  readonly values: Readonly<Record<string, number>>;
  readonly version: string | undefined;
  /** ms. */
  lastContact: number;
  readonly failing: string[];
}

/** Every collector with its queue, failures and last contact. */
export function Collectors() {
  const now = useNow();
  const { data, error, refetch } = useQuery({
    queryKey: ['latest', 'collectors'],
    refetchInterval: 10_000,
    queryFn: async ({ signal }) =>
      collectorsOf((await read('/api/v1/reports/latest', { metric_name: ['collector.*'] }, { signal })).samples),
  });
  const updates = useQuery({
    queryKey: ['updates'],
    refetchInterval: 10_000,
    queryFn: ({ signal }) => read('/api/v1/updates', {}, { signal }),
  });
  const versionOf = new Map(updates.data?.collectors.map((one) => [one.device_name, one]));
  if (error && !data) {
    return <ProblemNotice what="The collectors could not be read." error={error} onRetry={() => void refetch()} />;
  }
  if (!data) return null;
  const versionAt = ({ device, version }: Collector): string | undefined => version ?? versionOf.get(device)?.version;
  const versions = data.some((one) => versionAt(one) !== undefined);
  return (
    <section className="system-section">
      <h2>
        Collectors <span className="soft">{data.length}</span>
      </h2>
      {updates.error && !updates.data && (
        <ProblemNotice
          what="Which collector is behind could not be read."
          error={updates.error}
          onRetry={() => void updates.refetch()}
        />
      )}
      {updates.data && <Waves waves={updates.data.waves} />}
      {data.length === 0 ? (
        <p className="soft">None has told of itself yet.</p>
      ) : (
        <div className="panel scrolling">
          <table className="plain cards">
            <thead>
              <tr>
                <th scope="col">Collector of</th>
                {versions && <th scope="col">Version</th>}
                <th scope="col">Last contact</th>
                <th scope="col" className="number">
                  Waiting
                </th>
                <th scope="col" className="number">
                  Oldest
                </th>
                <th scope="col" className="number">
                  Queue
                </th>
                <th scope="col" className="number">
                  Quarantine
                </th>
                <th scope="col" className="number">
                  Given up
                </th>
                <th scope="col">Failing sources</th>
              </tr>
            </thead>
            <tbody>
              {data.map((one) => {
                const { device, values, lastContact, failing } = one;
                const seen = ago(now - lastContact);
                return (
                  <tr key={device}>
                    <td className="whole-line">
                      <Link href={`/devices/${encodeURIComponent(device)}?tab=collector`}>
                        <bdi>{device}</bdi>
                      </Link>
                    </td>
                    {versions && (
                      <td data-head="Version">
                        {versionAt(one) ?? '–'}
                        <VersionNote one={versionOf.get(device)} />
                      </td>
                    )}
                    <td data-head="Last contact">{seen === 'now' ? seen : `${seen} ago`}</td>
                    <td className="number" data-head="Waiting">
                      {waiting(values['collector.spool.samples'])}
                    </td>
                    <td className="number" data-head="Oldest">
                      {seconds(values['collector.spool.oldest_age'])}
                    </td>
                    <td className="number" data-head="Queue">
                      {bytes(values['collector.spool.size'])}
                    </td>
                    <td className="number" data-head="Quarantine">
                      {whole(values['collector.spool.quarantined'])}
                    </td>
                    <td className="number" data-head="Given up">
                      {whole(values['collector.spool.evicted'])}
                    </td>
                    <td
                      className={`whole-line ${failing.length > 0 ? 'bad-text' : 'soft'}`}
                      data-head="Failing sources"
                    >
                      {failing.join(', ') || 'none'}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

interface LatestSample {
  readonly device_name: string;
  readonly metric_name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestamp: string;
}

/** Gathers the newest `collector.*` samples by the device that sent them. */
function collectorsOf(samples: readonly LatestSample[]): Collector[] {
  const byDevice = new Map<string, Collector & { values: Record<string, number>; version: string | undefined }>();
  // What was another version before has a series of its own still.
  const saidAt = new Map<string, string>();
  for (const { device_name, metric_name, labels, value, timestamp } of samples) {
    const collector = byDevice.get(device_name) ?? {
      device: device_name,
      values: {},
      version: undefined,
      lastContact: 0,
      failing: [],
    };
    byDevice.set(device_name, collector);
    collector.lastContact = Math.max(collector.lastContact, Date.parse(timestamp));
    const version = labels['service.version'];
    if (version !== undefined && timestamp >= (saidAt.get(device_name) ?? '')) {
      saidAt.set(device_name, timestamp);
      collector.version = version;
    }
    if (metric_name === 'collector.source.success' && value === 0) collector.failing.push(labels['source'] ?? '?');
    if (Object.keys(labels).length === 0) collector.values[metric_name] = value;
  }
  return [...byDevice.values()];
}
