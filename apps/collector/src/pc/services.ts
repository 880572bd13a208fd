import type { Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';

/** The services that the configuration names: systemd units on Linux, services elsewhere. */
export const services: PcGroup = {
  name: 'services',
  metrics: ['systemd.unit.state'],
  startsProgram: 'everywhere',
  onlyIfNamed: true,
  configure: (keys) => {
    const units = keys.texts('units', []);
    if (units.length === 0)
      keys.mistake('units', 'is missing; it must be a list of units, as in [nginx, backup.timer]');
    for (const unit of units) {
      if (!UNIT.test(unit)) keys.mistake('units', `must be names of units, as in nginx or backup.timer, got ${unit}`);
    }
    return (machine) => async (signal) => {
      if (machine.platform === 'linux') {
        const names = units.map((unit) => (unit.includes('.') ? unit : `${unit}.service`));
        const show = ['show', '--property=Id,LoadState,ActiveState', '--', ...names];
        return unitReadings(await machine.run('systemctl', show, signal));
      }
      const known = await machine.si.services(units.join(','));
      // Windows knows how each of its services starts; one without that is not there.
      return known
        .filter(({ running, startmode }) => running || startmode !== '' || machine.platform !== 'win32')
        .flatMap(({ name, running }) => stateReadings(name, running ? 'active' : 'inactive'));
    };
  },
};

const UNIT = /^[A-Za-z0-9_][A-Za-z0-9:_.@\\-]*$/;
const STATES = ['active', 'reloading', 'inactive', 'failed', 'activating', 'deactivating'];

/** The output of `systemctl show --property=Id,LoadState,ActiveState`: a block of lines for each unit. */
export function unitReadings(output: string): Reading[] {
  return output
    .trim()
    .split(/\n\n+/)
    .flatMap((block) => {
      const value = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? '';
      return value('LoadState') === 'not-found' || value('Id') === ''
        ? []
        : stateReadings(value('Id'), value('ActiveState'));
    });
}

const stateReadings = (unit: string, now: string): Reading[] =>
  STATES.map((state) => ({
    metricName: 'systemd.unit.state',
    labels: { 'systemd.unit.name': unit, 'systemd.unit.active_state': state },
    value: state === now ? 1 : 0,
  }));
