import { Fragment, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { connection } from '../api.js';
import { personOf, useSession } from '../data/session.js';
import { SignIn } from '../pages/sign-in/sign-in.js';

const subscribe = (listener: () => void): (() => void) => {
  connection.listeners.add(listener);
  return () => void connection.listeners.delete(listener);
};

/** Pages for those who are not signed in yet. */
const OPEN = new Set(['/setup', '/share']);

/**
 * The page; in its place, and at its address, the sign-in while the api asks who this is. Where a session has ended, the page stays
 * behind the sign-in, so that the same person goes on with what they have begun; for somebody else it begins anew.
 */
export function SignedIn({ children }: { children: ReactNode }) {
  const signedOut = useSyncExternalStore(subscribe, () => connection.signedOut);
  const { session, isPending } = useSession();
  const [path] = useLocation();
  const [person, setPerson] = useState<string>();
  const isIn = !signedOut && session !== undefined && session.sign_in !== 'required';
  const now = isIn ? personOf(session) : person;
  if (now !== person) setPerson(now);
  if (OPEN.has(path)) return children;
  if (isPending) return <div className="page-wait" aria-busy="true" />;
  const asks = signedOut || session?.sign_in === 'required';
  return (
    <>
      {(!asks || now !== undefined) && <Fragment key={now}>{children}</Fragment>}
      {asks && (now === undefined ? <SignIn /> : <SignInAgain before={now} />)}
    </>
  );
}

/** Over all else, and over a form that is open; only who signs in gets by it. */
function SignInAgain({ before }: { before: string }) {
  // Escape would close the form beneath as well.
  useEffect(() => {
    const stay = (event: KeyboardEvent): void => void (event.key === 'Escape' && event.preventDefault());
    document.addEventListener('keydown', stay);
    return () => document.removeEventListener('keydown', stay);
  }, []);
  return (
    <dialog
      ref={(element) => {
        if (element && !element.open) element.showModal();
      }}
      className="sign-in-again"
      aria-label="Sign in again"
      onClose={({ currentTarget }) => currentTarget.showModal()}
    >
      <p>Your session has ended. What you have begun is still here.</p>
      <SignIn before={before} />
    </dialog>
  );
}
