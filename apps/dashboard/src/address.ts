import { useCallback, useMemo } from 'react';
import { navigate, useSearch } from 'wouter/use-browser-location';
import { windowOf, windowParameters, type TimeWindow, type Zone } from './time-window.js';

/** The state of a page that stands in its address, so that a copied link shows the same picture. */
export interface Address {
  readonly parameters: URLSearchParams;
  readonly get: (name: string) => string | undefined;
  readonly all: (name: string) => string[];
  /** Sets parameters and removes those that are undefined; `replace` leaves no trace in the history. */
  readonly set: (
    change: Record<string, string | readonly string[] | undefined>,
    options?: { replace?: boolean },
  ) => void;
}

type Change = (before: URLSearchParams) => URLSearchParams;

/** As wouter's own, which takes a `%2F` in a name or a search for a `/`: it decodes addresses before they are read. */
export function useSearchParams(): [URLSearchParams, (change: Change, options?: { replace?: boolean }) => void] {
  const search = useSearch();
  return [useMemo(() => new URLSearchParams(search), [search]), changeSearch];
}

function changeSearch(change: Change, options?: { replace?: boolean }): void {
  const search = change(new URLSearchParams(location.search)).toString();
  navigate(location.pathname + (search === '' ? '' : `?${search}`), options);
}

export function useAddress(): Address {
  const [parameters, setParameters] = useSearchParams();
  const set = useCallback<Address['set']>(
    (change, { replace = false } = {}) => {
      setParameters(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(change)) {
            after.delete(name);
            for (const one of typeof value === 'string' ? [value] : (value ?? [])) after.append(name, one);
          }
          return after;
        },
        { replace },
      );
    },
    [setParameters],
  );
  return useMemo(
    () => ({
      parameters,
      get: (name) => parameters.get(name) ?? undefined,
      all: (name) => parameters.getAll(name),
      set,
    }),
    [parameters, set],
  );
}

/** The part of time and the time zone that a page shows, from its address. */
export function useTimeWindow(fallback?: string): {
  window: TimeWindow;
  zone: Zone;
  setWindow: (window: TimeWindow) => void;
  setZone: (zone: Zone) => void;
} {
  const address = useAddress();
  const { parameters, set } = address;
  const window = useMemo(() => windowOf(parameters, fallback), [parameters, fallback]);
  return {
    window,
    zone: parameters.get('tz') === 'UTC' ? 'UTC' : 'local',
    setWindow: useCallback((to: TimeWindow) => set(windowParameters(to)), [set]),
    setZone: useCallback((zone: Zone) => set({ tz: zone === 'UTC' ? 'UTC' : undefined }, { replace: true }), [set]),
  };
}

/** The parameters that go along from page to page. */
export function carried(parameters: URLSearchParams): string {
  const kept = new URLSearchParams();
  for (const name of ['range', 'start', 'end', 'tz']) {
    const value = parameters.get(name);
    if (value !== null) kept.set(name, value);
  }
  const search = kept.toString();
  return search === '' ? '' : `?${search}`;
}
