import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { read, type Schema } from '../api.js';

export type Alert = Schema<'AlertDto'>;
export type SetupKind = 'rules' | 'channels' | 'routes' | 'silences' | 'maintenance' | 'dependencies';
export type SetupItem = Schema<'AlertSetupDto'>;

/** How often the states are asked for, ms. */
const EVERY = 10_000;

/** The states of what is wrong now, and for long enough. */
export const OPEN = ['alerting', 'recovering'] as const;
/** Those of what is wrong but not for long enough, and of what is not known. */
export const NOT_YET = ['pending', 'no_data', 'error'] as const;

/** Which alerts a page asks for; there may be thousands. */
export interface AlertsWish {
  readonly state: readonly Alert['state'][];
  readonly rule?: readonly string[];
  readonly device_name?: string;
  /** How many are told one by one, 1 at the least. All are counted. */
  readonly limit: number;
}

/** What is not normal, the worst first. */
export const useAlerts = ({ state, rule, limit, ...wish }: AlertsWish, enabled = true) =>
  useQuery({
    queryKey: ['alerts', wish, state, rule, limit],
    queryFn: ({ signal }) => {
      const query = { ...wish, state: [...state], rule: rule && [...rule], limit: String(limit) };
      return read('/api/v1/alerts', query, { signal });
    },
    enabled,
    refetchInterval: EVERY,
    placeholderData: keepPreviousData,
  });

/** What is set up of one kind. */
export const useSetup = (kind: SetupKind) =>
  useQuery({
    queryKey: ['alert-setup', kind],
    queryFn: ({ signal }) => read('/api/v1/alerts/{kind}', {}, { signal, names: { kind } }),
    refetchInterval: 30_000,
    staleTime: 30_000,
  });
