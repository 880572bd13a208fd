import type { Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';

export const uptime: PcGroup = {
  name: 'uptime',
  metrics: ['system.uptime', 'system.boot_time'],
  configure: () => (machine) => async () => {
    if (machine.platform === 'linux') {
      return uptimeReadings(await machine.read('proc/uptime'), await machine.read('proc/stat'));
    }
    const seconds = machine.uptime();
    return [
      { metricName: 'system.uptime', value: seconds },
      { metricName: 'system.boot_time', value: Math.round(Date.now() / 1000 - seconds) },
    ];
  },
};

/** Of /proc/uptime (seconds since the start, first number) and of `btime` in /proc/stat (Unix seconds of the start). */
export function uptimeReadings(procUptime: string, procStat: string): Reading[] {
  const start = /^btime (\d+)$/m.exec(procStat)?.[1];
  return [
    { metricName: 'system.uptime', value: Number(procUptime.split(' ')[0]) },
    ...(start === undefined ? [] : [{ metricName: 'system.boot_time', value: Number(start) }]),
  ];
}
