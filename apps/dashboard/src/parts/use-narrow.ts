import { useSyncExternalStore } from 'react';

const media = window.matchMedia('(max-width: 719px)');
const subscribe = (listener: () => void): (() => void) => {
  media.addEventListener('change', listener);
  return () => media.removeEventListener('change', listener);
};

/** Whether the screen is as narrow as a telephone's. */
export const useNarrow = (): boolean => useSyncExternalStore(subscribe, () => media.matches);
