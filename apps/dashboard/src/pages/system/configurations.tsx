import { useQuery, useQueryClient } from '@tanstack/react-query';
import { addressOf, change, read, type Schema } from '../../api.js';
import { useMay } from '../../data/session.js';
import { ConfirmButton } from '../../parts/confirm-button.js';
import { ModalButton } from '../../parts/modal-button.js';
import { ProblemNotice } from '../../parts/problem-notice.js';
import { useNow } from '../../parts/use-now.js';
import { ago } from '../../units.js';
import { ConfigurationForm } from './configuration-form.js';

type Configuration = Schema<'ConfigurationDto'>;
type Collector = Schema<'CollectorConfigurationDto'>;

const KEY = ['configurations'];

/** What collectors read by the tags of their devices, for who may change it. */
export function Configurations() {
  const mayChange = useMay('access:manage');
  const client = useQueryClient();
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    enabled: mayChange,
    refetchInterval: 10_000,
    queryFn: ({ signal }) => read('/api/v1/configurations', {}, { signal }),
  });
  if (!mayChange) return null;
  if (error && !data) {
    return <ProblemNotice what="Configurations could not be read." error={error} onRetry={() => void refetch()} />;
  }
  if (!data) return null;
  const { configurations, collectors } = data;
  const changed = (): Promise<void> => client.invalidateQueries({ queryKey: KEY });
  const devices = collectors.map(({ device_name }) => device_name);
  return (
    <section className="system-section">
      <div className="bar">
        <h2>What collectors read</h2>
        <p className="soft grow">
          By the tags of their devices, where <code>remote: true</code> stands in the file of the PC.
        </p>
        <ModalButton words="New" title="What collectors read" label="New configuration of collectors">
          {(close) => (
            <ConfigurationForm devices={devices} onSaved={() => void changed().then(close)} onCancel={close} />
          )}
        </ModalButton>
      </div>
      {configurations.length > 0 && (
        <div className="panel scrolling">
          <table className="plain cards">
            <thead>
              <tr>
                <th scope="col">Devices with</th>
                <th scope="col">Version</th>
                <th scope="col">Changed</th>
                <th scope="col">Collectors</th>
                <th scope="col" aria-label="Change" />
              </tr>
            </thead>
            <tbody>
              {configurations.map((one) => (
                <ConfigurationRow key={one.tag} one={one} collectors={collectors} onChanged={changed} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

interface RowProps {
  readonly one: Configuration;
  readonly collectors: readonly Collector[];
  readonly onChanged: () => Promise<void>;
}

function ConfigurationRow({ one, collectors, onChanged }: RowProps) {
  const now = useNow();
  const { tag, version, changed_at, changed_by } = one;
  const own = collectors.filter(({ tags }) => tags.includes(tag));
  const seen = ago(now - Date.parse(changed_at));
  return (
    <tr>
      <td className="whole-line">
        <bdi>{tag === 'all' ? 'any tag' : tag}</bdi>
      </td>
      <td data-head="Version">{version}</td>
      <td data-head="Changed">
        {seen === 'now' ? seen : `${seen} ago`} <span className="soft">by {changed_by}</span>
      </td>
      <td data-head="Collectors">
        <Standing collectors={own} />
      </td>
      <td className="bar whole-line">
        <ModalButton words="Change" title="What collectors read" className="button small" label={`Change ${tag}`}>
          {(close) => (
            <ConfigurationForm
              one={one}
              devices={own.map(({ device_name }) => device_name)}
              onSaved={() => void onChanged().then(close)}
              onCancel={close}
            />
          )}
        </ModalButton>
        <ConfirmButton
          words="Remove"
          sure="Remove it"
          label={tag}
          act={async () => {
            await change('DELETE', addressOf('/api/v1/configurations/{tag}', {}, { tag }));
            await onChanged();
          }}
        />
      </td>
    </tr>
  );
}

const WORDS = { current: 'run it', waiting: 'will take it', off: 'do not ask' } as const;

/** How many collectors stand how; each that refuses it, with its reason. */
function Standing({ collectors }: { readonly collectors: readonly Collector[] }) {
  const counts = Object.entries(WORDS).flatMap(([state, words]) => {
    const count = collectors.filter((one) => one.state === state).length;
    return count === 0 ? [] : [`${count} ${words}`];
  });
  const refused = collectors.filter(({ state }) => state === 'refused');
  return (
    <>
      {counts.join(', ') || (refused.length === 0 ? 'none has joined' : '')}
      {refused.map(({ device_name, reason }) => (
        <div className="bad-text configuration-reason" key={device_name}>
          <bdi>{device_name}</bdi> refuses it: {reason}
        </div>
      ))}
    </>
  );
}
