import { useQueryClient } from '@tanstack/react-query';
import { addressOf, change, read } from '../../api.js';
import { ConfirmButton } from '../../parts/confirm-button.js';
import { Scope } from '../../parts/tags.js';
import { ShareButton } from '../share/share-form.js';
import { Listed, Part, Rows, when } from './part.js';

/** Links that show something to whoever has them. */
export function Links() {
  const client = useQueryClient();
  return (
    <Part title="Shared links" actions={<ShareButton words="New link" />}>
      <Listed name="shares" load={(signal) => read('/api/v1/shares', {}, { signal })}>
        {({ shares }) => (
          <Rows
            heads={['For', 'Page', 'Devices', 'Made by', 'Last used', 'Ends', '']}
            none="There are none. A device has a button Share, too."
          >
            {shares.map(({ id, name, page, devices, tags, created_by, last_used_at, expires_at, state }) => (
              <tr key={id} className={state === 'active' ? undefined : 'over'}>
                <td>
                  <bdi>{name}</bdi>
                </td>
                <td>
                  <a href={page}>{page}</a>
                </td>
                <td>
                  <Scope devices={devices} tags={tags} />
                </td>
                <td>{created_by}</td>
                <td>{when(last_used_at)}</td>
                <td>{state === 'active' ? when(expires_at) : state}</td>
                <td>
                  {state === 'active' && (
                    <ConfirmButton
                      words="Withdraw"
                      sure="Withdraw, at once"
                      label={name}
                      act={async () => {
                        await change('DELETE', addressOf('/api/v1/shares/{id}', {}, { id }));
                        await client.invalidateQueries({ queryKey: ['shares'] });
                      }}
                    />
                  )}
                </td>
              </tr>
            ))}
          </Rows>
        )}
      </Listed>
    </Part>
  );
}
