import type { Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';

/**
 * How long work waited for processors, memory and disks (pressure stall information): what slows a machine down, where
 * utilization only says that it works. See the kernel's Documentation/accounting/psi.rst.
 */
export const pressure: PcGroup = {
  name: 'pressure',
  metrics: ['system.linux.pressure.time'],
  configure: () => (machine) => async () => {
    if (machine.platform !== 'linux') return [];
    return ['cpu', 'memory', 'io', 'irq'].flatMap((resource) =>
      pressureReadings(resource, machine.readNow(`proc/pressure/${resource}`) ?? ''),
    );
  },
};

/** The lines `some` and `full` of a file of /proc/pressure; `total` is in microseconds. */
export function pressureReadings(resource: string, text: string): Reading[] {
  return [...text.matchAll(/^(some|full) .*total=(\d+)$/gm)].flatMap(([, type = '', total]) => {
    // There is always a task that has a processor: the kernel writes 0.
    if (resource === 'cpu' && type === 'full') return [];
    const labels = { 'system.linux.pressure.resource': resource, 'system.linux.pressure.type': type };
    return [{ metricName: 'system.linux.pressure.time', labels, value: Number(total) / 1e6 }];
  });
}
