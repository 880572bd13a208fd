import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { addressOf, change, read, type Schema } from '../../api.js';
import { useSession } from '../../data/session.js';
import { ConfirmButton } from '../../parts/confirm-button.js';
import { EntryForm } from '../../parts/entry-form.js';
import { textOf } from '../../parts/form.js';
import { ModalButton } from '../../parts/modal-button.js';
import { Scope, tagsOf, tagsText } from '../../parts/tags.js';
import { Listed, Part, Rows, when } from './part.js';

type User = Schema<'UserDto'>;

const ROLES = [
  ['viewer', 'viewer: looks'],
  ['editor', 'editor: changes devices and alerts, shares links'],
  ['admin', 'admin: everything'],
] as const;

const pathOf = (name: string): string => addressOf('/api/v1/users/{name}', {}, { name });

/** Everybody who signs in, with what they may do. */
export function Users() {
  const client = useQueryClient();
  const { session } = useSession();
  const again = (): Promise<void> => client.invalidateQueries({ queryKey: ['users'] });
  const make = session?.first_user ? (
    <Link className="button" href="/setup">
      Make the first user
    </Link>
  ) : (
    <ModalButton words="New user" title="New user">
      {(close) => <UserForm onDone={close} />}
    </ModalButton>
  );
  return (
    <Part title="Users" actions={make}>
      <Listed name="users" load={(signal) => read('/api/v1/users', {}, { signal })}>
        {({ users }) => (
          <Rows
            heads={['Name', 'Role', 'Devices', 'Signs in with', 'Signed in last', '']}
            none="There are none: nobody has to sign in on the server itself, and nobody can from elsewhere."
          >
            {users.map((user) => (
              <tr key={user.name}>
                <td>
                  <bdi>{user.name}</bdi>
                </td>
                <td>{user.role}</td>
                <td>
                  <Scope tags={user.tags} />
                </td>
                <td>{waysOf(user)}</td>
                <td>{when(user.last_sign_in_at)}</td>
                <td className="bar">
                  <ModalButton
                    words="Change"
                    title={`Change ${user.name}`}
                    className="button small"
                    label={`Change ${user.name}`}
                  >
                    {(close) => <UserForm user={user} onDone={close} />}
                  </ModalButton>
                  <ConfirmButton
                    words="Delete"
                    sure="Delete for good"
                    label={user.name}
                    act={async () => {
                      await change('DELETE', pathOf(user.name));
                      await again();
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

const waysOf = ({ has_password, openid, totp }: User): string =>
  [has_password && (totp ? 'password and code' : 'password'), openid && 'OpenID'].filter(Boolean).join(', ') || '–';

/** Makes a user, or changes one. */
function UserForm({ user: asOpened, onDone }: { readonly user?: User; readonly onDone: () => void }) {
  const client = useQueryClient();
  const [user] = useState(asOpened);
  const submit = async (form: FormData): Promise<void> => {
    const tags = tagsOf(textOf(form, 'tags'));
    const password = textOf(form, 'password');
    const common = { role: textOf(form, 'role'), tags: Object.keys(tags).length > 0 ? tags : null };
    const reset = { ...(password !== '' && { password }), ...(form.has('totp') && { totp: false }) };
    const saving = user
      ? change('PATCH', pathOf(user.name), { ...common, ...reset }, user)
      : change('POST', '/api/v1/users', { ...common, name: textOf(form, 'name').trim(), password });
    // Also after a refusal: what somebody else has changed meanwhile is there when it is opened again.
    await saving.finally(() => client.invalidateQueries({ queryKey: ['users'] }));
    // Who changed themselves may do something else now.
    await client.invalidateQueries({ queryKey: ['session'] });
    onDone();
  };
  return (
    <EntryForm words={user ? 'Save' : 'Make the user'} submit={submit} onCancel={onDone}>
      {!user && (
        <label className="labelled">
          Name
          <input className="field" name="name" maxLength={64} required autoFocus autoComplete="off" />
        </label>
      )}
      <label className="labelled">
        Role
        <select className="field" name="role" defaultValue={user?.role ?? 'viewer'}>
          {ROLES.map(([role, words]) => (
            <option key={role} value={role}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label className="labelled">
        Only devices with these tags, as room=lab, comma between; empty: all
        <input className="field" name="tags" defaultValue={tagsText(user?.tags ?? null)} />
      </label>
      <label className="labelled">
        {user ? 'New password; empty: as it is. It signs them out everywhere' : 'Password, at least 10 characters'}
        <input
          className="field"
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={10}
          maxLength={200}
          required={!user}
        />
      </label>
      {user?.totp && (
        <label className="inline-label">
          <input type="checkbox" name="totp" />
          <span>Ask for no one-time codes any more, as of a lost phone</span>
        </label>
      )}
    </EntryForm>
  );
}
