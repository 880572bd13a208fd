import { useQuery } from '@tanstack/react-query';
import { read, type Schema } from '../api.js';

export type Alert = Schema<'AlertDto'>;
export type SetupKind = 'rules' | 'channels' | 'routes' | 'silences' | 'maintenance' | 'dependencies';
export type SetupItem = Schema<'AlertSetupDto'>;

/** How often the states are asked for, ms. */
const EVERY = 10_000;

/** Everything that is not normal. */
export const useAlerts = () =>
  useQuery({
    queryKey: ['alerts'],
    queryFn: ({ signal }) => read('/api/v1/alerts', {}, { signal }),
    refetchInterval: EVERY,
  });

/** Whether it is wrong now, and for long enough. */
export const isOpen = ({ state }: Alert): boolean => state === 'alerting' || state === 'recovering';

/** What is set up of one kind. */
export const useSetup = (kind: SetupKind) =>
  useQuery({
    queryKey: ['alert-setup', kind],
    queryFn: ({ signal }) => read('/api/v1/alerts/{kind}', {}, { signal, names: { kind } }),
    refetchInterval: 30_000,
    staleTime: 30_000,
  });
