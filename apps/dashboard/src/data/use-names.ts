import { useQuery } from '@tanstack/react-query';
import { read, type Schema } from '../api.js';

/** Every metric that there is, with unit, kind and help. */
export function useMetrics(): readonly Schema<'ListedMetricDto'>[] {
  const { data } = useQuery({
    queryKey: ['metrics'],
    queryFn: ({ signal }) => read('/api/v1/metrics', {}, { signal }),
    staleTime: 60_000,
  });
  return data?.metrics ?? [];
}

/** The names of all devices, and the tags that they have as `name=value`. */
export function useDeviceNames(): { names: readonly string[]; tags: readonly string[] } {
  const { data } = useQuery({
    queryKey: ['devices'],
    queryFn: ({ signal }) => read('/api/v1/devices', {}, { signal }),
    staleTime: 30_000,
  });
  const devices = data?.devices ?? [];
  const tags = devices.flatMap((device) => Object.entries(device.tags).map(([name, value]) => `${name}=${value}`));
  return { names: devices.map(({ device_name }) => device_name), tags: [...new Set(tags)].sort() };
}
