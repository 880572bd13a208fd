import { useState, useSyncExternalStore, type ReactNode } from 'react';
import { ApiError, change, connection } from '../api.js';
import { textOf } from './form.js';

const subscribe = (listener: () => void): (() => void) => {
  connection.listeners.add(listener);
  return () => void connection.listeners.delete(listener);
};

/** The page; in its place, and at its address, the sign-in while the api asks who this is. */
export function SignedIn({ children }: { children: ReactNode }) {
  const signedOut = useSyncExternalStore(subscribe, () => connection.signedOut);
  return signedOut ? <SignIn /> : children;
}

function SignIn() {
  const [mistake, setMistake] = useState('');
  const [busy, setBusy] = useState(false);
  const signIn = async (form: FormData): Promise<void> => {
    setBusy(true);
    setMistake('');
    const totp = textOf(form, 'totp').trim();
    try {
      await change('POST', '/api/v1/session', {
        name: textOf(form, 'name'),
        password: textOf(form, 'password'),
        ...(totp !== '' && { totp }),
      });
      connection.set({ signedOut: false });
    } catch (error) {
      setMistake(error instanceof ApiError ? error.message : String(error));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      className="panel sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        void signIn(new FormData(event.currentTarget));
      }}
    >
      <h1>Sign in</h1>
      <label className="labelled">
        Name
        <input className="field" name="name" autoComplete="username" required autoFocus />
      </label>
      <label className="labelled">
        Password
        <input className="field" name="password" type="password" autoComplete="current-password" required />
      </label>
      <label className="labelled">
        One-time code, if you have set one up
        <input className="field" name="totp" inputMode="numeric" autoComplete="one-time-code" />
      </label>
      {mistake !== '' && (
        <p className="bad-text" role="alert">
          {mistake}
        </p>
      )}
      <button type="submit" className="button primary" disabled={busy}>
        Sign in
      </button>
    </form>
  );
}
