import { useSyncExternalStore } from 'react';
import { serverNow } from '../api.js';

/** One clock for all that show how long ago something was. */
const EVERY = 5_000;
const listeners = new Set<() => void>();
let now = serverNow();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = serverNow();
    for (const each of listeners) each();
  }, EVERY);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The time by the clock of the api, ms, renewed every five seconds. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now);
