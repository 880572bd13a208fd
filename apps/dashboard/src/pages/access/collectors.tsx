import { useQueryClient } from '@tanstack/react-query';
import { addressOf, change, read, type Schema } from '../../api.js';
import { ConfirmButton } from '../../parts/confirm-button.js';
import { EntryForm } from '../../parts/entry-form.js';
import { textOf } from '../../parts/form.js';
import { Scope } from '../../parts/tags.js';
import { AddDevice } from '../home/add-device.js';
import { loadCollectors } from './load-collectors.js';
import { Listed, Part, Rows, when } from './part.js';

type Collector = Schema<'CollectorDto'>;

/** The collectors that have joined, what is to be decided of them, and the invitations. */
export function Collectors() {
  const client = useQueryClient();
  return (
    <>
      <Part title="Collectors" actions={<AddDevice />}>
        <Listed name="collectors" load={loadCollectors}>
          {({ collectors }) => {
            const there = collectors.filter(({ state }) => state === 'active' || state === 'conflict');
            return (
              <>
                {there
                  .filter(({ state }) => state === 'conflict')
                  .map((one) => (
                    <Conflict key={one.id} one={one} other={there.find((each) => isOther(each, one))} />
                  ))}
                <Rows
                  heads={['PC', 'Devices', 'From', 'Version', 'Joined', 'Seen', '']}
                  none="None has joined. Those on this machine may send without."
                >
                  {there.map((collector) => (
                    <tr key={collector.id}>
                      <td>
                        <bdi>{collector.device_name}</bdi>
                        {collector.name !== collector.device_name && (
                          <span className="soft">
                            , calls itself <bdi>{collector.name}</bdi>
                          </span>
                        )}
                        {collector.state === 'conflict' && <strong className="bad-text"> to be decided</strong>}
                      </td>
                      <td>{collector.devices.length}</td>
                      <td>
                        {collector.address}, {collector.platform}
                      </td>
                      <td>{collector.version}</td>
                      <td>{when(collector.joined_at)}</td>
                      <td>{when(collector.seen_at)}</td>
                      <td>
                        <ConfirmButton
                          words="Revoke"
                          sure="Take nothing more of it"
                          label={collector.device_name}
                          act={async () => {
                            await change('DELETE', addressOf('/api/v1/collectors/{id}', {}, { id: collector.id }));
                            await client.invalidateQueries({ queryKey: ['collectors'] });
                          }}
                        />
                      </td>
                    </tr>
                  ))}
                </Rows>
              </>
            );
          }}
        </Listed>
      </Part>
      <Invitations />
    </>
  );
}

const isOther = (one: Collector, conflicting: Collector): boolean =>
  one.id !== conflicting.id && one.state === 'active' && one.devices.includes(conflicting.device_name);

/** Two machines of one name: an admin says what the second is. */
function Conflict({ one, other }: { readonly one: Collector; readonly other: Collector | undefined }) {
  const client = useQueryClient();
  const decide = async (decision: object): Promise<void> => {
    await change('POST', addressOf('/api/v1/collectors/{id}/decision', {}, { id: one.id }), decision);
    await client.invalidateQueries({ queryKey: ['collectors'] });
  };
  return (
    <div className="notice warn" role="group" aria-label={`Two machines called ${one.name}`}>
      <div>
        <p>
          <strong>
            Two machines call themselves <bdi>{one.name}</bdi>.
          </strong>{' '}
          The one at {one.address} ({one.platform}, joined {when(one.joined_at)}) keeps what it reads and waits
          {other ? (
            <>
              ; the name belongs to the one at {other.address} ({other.platform}, joined {when(other.joined_at)}, seen{' '}
              {when(other.seen_at)}).
            </>
          ) : (
            '.'
          )}
        </p>
        <EntryForm
          words="It is a new device"
          className="bar"
          submit={(form) => decide({ decision: 'new', device_name: textOf(form, 'device_name').trim() })}
        >
          <label className="inline-label">
            called
            <input className="field" name="device_name" required maxLength={128} defaultValue={`${one.name}-2`} />
          </label>
        </EntryForm>
        <EntryForm
          words="It is the same, moved to this machine"
          className="bar"
          submit={() => decide({ decision: 'same' })}
        >
          <span className="soft">Or:</span>
        </EntryForm>
      </div>
    </div>
  );
}

/** Codes that let collectors join and that still work. */
function Invitations() {
  const client = useQueryClient();
  return (
    <Part title="Invitations">
      <Listed name="invitations" load={(signal) => read('/api/v1/invitations', {}, { signal })}>
        {({ invitations }) => (
          <Rows
            heads={['Made', 'By', 'Joined with it', 'Tags', 'Ends', '']}
            none="No code works now. Add a PC makes one."
          >
            {invitations
              .filter(({ state }) => state === 'active')
              .map(({ id, created_at, created_by, uses, max_uses, tags, expires_at }) => (
                <tr key={id}>
                  <td>{when(created_at)}</td>
                  <td>{created_by}</td>
                  <td>
                    {uses} of {max_uses}
                  </td>
                  <td>{Object.keys(tags).length > 0 ? <Scope tags={tags} /> : <span className="soft">none</span>}</td>
                  <td>{when(expires_at)}</td>
                  <td>
                    <ConfirmButton
                      words="Revoke"
                      sure="Let nobody join with it"
                      label={`the invitation of ${when(created_at)}`}
                      act={async () => {
                        await change('DELETE', addressOf('/api/v1/invitations/{id}', {}, { id }));
                        await client.invalidateQueries({ queryKey: ['invitations'] });
                      }}
                    />
                  </td>
                </tr>
              ))}
          </Rows>
        )}
      </Listed>
    </Part>
  );
}
