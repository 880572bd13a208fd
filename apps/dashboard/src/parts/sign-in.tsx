import { useSyncExternalStore, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { connection } from '../api.js';
import { useSession } from '../data/session.js';
import { SignIn } from '../pages/sign-in/sign-in.js';

const subscribe = (listener: () => void): (() => void) => {
  connection.listeners.add(listener);
  return () => void connection.listeners.delete(listener);
};

/** Pages for those who are not signed in yet. */
const OPEN = new Set(['/setup', '/share']);

/** The page; in its place, and at its address, the sign-in while the api asks who this is. */
export function SignedIn({ children }: { children: ReactNode }) {
  const signedOut = useSyncExternalStore(subscribe, () => connection.signedOut);
  const { session, isPending } = useSession();
  const [path] = useLocation();
  if (OPEN.has(path)) return children;
  if (isPending) return <div className="page-wait" aria-busy="true" />;
  return signedOut || session?.sign_in === 'required' ? <SignIn /> : children;
}
