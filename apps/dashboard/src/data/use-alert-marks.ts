import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { read, serverNow } from '../api.js';
import { boundsOf, type TimeWindow } from '../time-window.js';
import { episodesOf, levelsOf, NO_MARKS, type AlertMarks } from './alert-marks.js';
import type { ChartSpec } from './chart-specs.js';
import { OPEN, useAlerts, useSetup } from './use-alerts.js';

/**
 * The levels and episodes of alerts on a chart; none where they may not be read, as behind a shared link.
 *
 * @param lowest the state of the lowest layer of a stack.
 */
export function useAlertMarks(device: string, spec: ChartSpec, window: TimeWindow, lowest?: string): AlertMarks {
  const rules = useSetup('rules').data;
  const alerts = useAlerts({ state: OPEN, device_name: device, limit: 1_000 }).data;
  const known = useQuery({
    queryKey: ['device', device],
    queryFn: ({ signal }) => read('/api/v1/devices/{device_name}', {}, { signal, names: { device_name: device } }),
    staleTime: 60_000,
  }).data;
  const { data } = useQuery({
    queryKey: ['alert-history', device, window],
    queryFn: async ({ signal }) => {
      const bounds = boundsOf(window, serverNow());
      const query = {
        device_name: device,
        start_time: new Date(bounds.start).toISOString(),
        end_time: new Date(bounds.end).toISOString(),
        limit: '1000',
      };
      const { changes } = await read('/api/v1/alerts/history', query, { signal });
      return { changes, bounds };
    },
    refetchInterval: window.kind === 'live' ? 30_000 : false,
    retry: false,
  });
  return useMemo(() => {
    if (!rules || !known || !data) return NO_MARKS;
    return {
      levels: levelsOf(
        rules.items.filter(({ unusable }) => !unusable),
        known,
        spec,
        lowest,
      ),
      episodes: episodesOf(data.changes, alerts?.alerts ?? [], spec, data.bounds),
    };
  }, [rules, alerts, known, data, spec, lowest]);
}
