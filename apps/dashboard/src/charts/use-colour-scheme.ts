import { useSyncExternalStore } from 'react';

const media = window.matchMedia('(prefers-color-scheme: dark)');
const subscribe = (listener: () => void): (() => void) => {
  media.addEventListener('change', listener);
  return () => media.removeEventListener('change', listener);
};

/** Renewed when the system's wish changes; what is drawn on a canvas has to be drawn again then. */
export const useDark = (): boolean => useSyncExternalStore(subscribe, () => media.matches);
