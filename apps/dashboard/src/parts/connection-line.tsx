import { useEffect, useState, useSyncExternalStore } from 'react';
import { connection, read } from '../api.js';

/** How often a missing api is asked whether it is back, ms. */
const ASK_EVERY = 2_000;

const subscribe = (listener: () => void): (() => void) => {
  connection.listeners.add(listener);
  return () => void connection.listeners.delete(listener);
};

/** Says that the api is away for as long as it is, and notices when it is back. */
export function ConnectionLine() {
  const reachable = useSyncExternalStore(subscribe, () => connection.reachable);
  const [since, setSince] = useState<Date>();
  useEffect(() => {
    if (reachable) return setSince(undefined);
    setSince(new Date());
    const timer = setInterval(() => void read('/healthz', {}).catch(() => undefined), ASK_EVERY);
    return () => clearInterval(timer);
  }, [reachable]);
  if (reachable) return null;
  return (
    <div className="connection-line" role="status">
      <strong>The api does not answer</strong>
      {since && ` since ${since.toLocaleTimeString('en-GB')}`}. What you see is from before; this page goes on by itself
      when the api is back.
    </div>
  );
}
