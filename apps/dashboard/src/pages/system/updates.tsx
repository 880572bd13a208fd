import { useQueryClient } from '@tanstack/react-query';
import { addressOf, change, type Schema } from '../../api.js';
import { useMay } from '../../data/session.js';
import { ConfirmButton } from '../../parts/confirm-button.js';

type Wave = Schema<'WaveDto'>;
type Version = Schema<'CollectorVersionDto'>;

/** Of a collector that is behind or on its way: to which version, and what is in the way. */
export function VersionNote({ one }: { readonly one: Version | undefined }) {
  if (!one || one.state === 'current') return null;
  const { state, newest, reason } = one;
  if (state === 'failed' || state === 'refused') {
    return (
      <span className="bad-text">
        , {state === 'failed' ? 'went back from' : 'could not take'} {newest}: {reason}
      </span>
    );
  }
  const words = { behind: 'behind', waiting: 'will take', 'under way': 'takes now' }[state];
  return (
    <span className="soft">
      , {words} {newest}
    </span>
  );
}

/** How far newer versions have got among the collectors that update themselves. */
export function Waves({ waves }: { readonly waves: readonly Wave[] }) {
  const client = useQueryClient();
  const mayDecide = useMay('access:manage');
  const open = waves.filter(({ updated, size }) => updated < size);
  return open.map(({ version, updated, size, limit, under_way, held_back_by }) => (
    <p className={held_back_by === '' ? 'notice' : 'notice warn'} key={version}>
      <span className="grow">
        Version {version}: {updated} of {size} collectors have it
        {held_back_by === '' ? (
          `, ${under_way} on their way, at most ${limit} at this step.`
        ) : (
          <>
            ; <bdi>{held_back_by}</bdi> went back from it, so all others wait.
          </>
        )}
      </span>
      {held_back_by !== '' && mayDecide && (
        <ConfirmButton
          words="Try again"
          sure="Let them try again"
          label={`version ${version}`}
          act={async () => {
            await change('POST', addressOf('/api/v1/updates/again'));
            await client.invalidateQueries({ queryKey: ['updates'] });
          }}
        />
      )}
    </p>
  ));
}
