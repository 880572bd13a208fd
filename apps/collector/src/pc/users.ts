import type { Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';

export const users: PcGroup = {
  name: 'users',
  metrics: ['system.user.count'],
  startsProgram: 'outside Linux',
  configure: () => (machine) => async () => {
    if (machine.platform !== 'linux') return countReading((await machine.si.users()).length);
    const utmp = await machine.readBytes('var/run/utmp').catch(() => undefined);
    if (utmp) return countReading(countSessions(utmp));
    // Newer systems have no utmp; there, systemd keeps a file for each session.
    const sessions = (await machine.list('run/systemd/sessions')).filter((name) => !name.includes('.'));
    return (await machine.list('run/systemd')).length > 0 ? countReading(sessions.length) : [];
  },
};

const countReading = (value: number): Reading[] => [{ metricName: 'system.user.count', value }];

/** The size of a record of utmp(5) with glibc, on every platform that it knows. */
const RECORD = 384;
const USER_PROCESS = 7;

export function countSessions(utmp: Buffer): number {
  let sessions = 0;
  for (let start = 0; start + RECORD <= utmp.length; start += RECORD) {
    if (utmp.readInt16LE(start) === USER_PROCESS) sessions += 1;
  }
  return sessions;
}
