import { reasonOf, type Reading } from '@device-metrics/domain';
import type { Parts } from '../run/source.js';
import type { PcGroup, Reader } from './group.js';
import type { Machine } from './machine.js';

/** How many units of systemd are in which state, and the states of the services that the configuration names. */
export const services: PcGroup = {
  name: 'services',
  metrics: ['systemd.unit.count', 'systemd.unit.state'],
  ofNamed: ['systemd.unit.state'],
  startsProgram: 'everywhere',
  configure: (keys) => {
    const units = keys.texts('units', []);
    for (const unit of units) {
      if (!UNIT.test(unit)) keys.mistake('units', `must be names of units, as in nginx or backup.timer, got ${unit}`);
    }
    return (machine) => (machine.platform === 'linux' ? systemdReader(machine, units) : otherReader(machine, units));
  },
  check: (keys) => {
    const units = keys.texts('units', []);
    return (machine) => missingUnits(machine, units);
  },
};

const UNIT = /^[A-Za-z0-9_][A-Za-z0-9:_.@\\-]*$/;
const STATES = ['active', 'reloading', 'inactive', 'failed', 'activating', 'deactivating'];
const NO_SUCH_UNIT = 'there is no such unit';
/** How long `collector check` waits, ms. */
const CHECK_TIMEOUT = 5_000;

const unitNames = (units: readonly string[]): string[] =>
  units.map((unit) => (unit.includes('.') ? unit : `${unit}.service`));
const show = (names: readonly string[]): string[] => ['show', '--property=Id,LoadState,ActiveState', '--', ...names];

async function missingUnits(machine: Machine, units: readonly string[]): Promise<string[]> {
  const names = unitNames(units);
  if (names.length === 0 || machine.platform !== 'linux') return [];
  const missing: string[] = [];
  try {
    const output = await machine.run('systemctl', show(names), AbortSignal.timeout(CHECK_TIMEOUT));
    unitReadings(output, names, { reject: (part, reason) => void missing.push(`${part}: ${reason}`) });
  } catch (error) {
    missing.push(reasonOf(error));
  }
  return missing;
}

function systemdReader(machine: Machine, units: readonly string[]): Reader {
  const names = unitNames(units);
  const list = ['list-units', '--all', '--plain', '--full', '--no-legend', '--no-pager'];
  return async (signal, parts) => {
    // Other systems that start services may have the program as well, for what asks for it.
    // Its folder says that it runs, as sd_booted(3) has it, and is mostly empty.
    const runs = (await machine.list('run/systemd')).includes('system') || names.length > 0;
    if (!runs) return [];
    const [counted, shown] = await Promise.allSettled([
      machine.run('systemctl', list, signal).then(countReadings),
      names.length === 0
        ? []
        : machine.run('systemctl', show(names), signal).then((text) => unitReadings(text, names, parts)),
    ]);
    if (counted.status === 'rejected') parts.reject('the list of units', reasonOf(counted.reason));
    if (shown.status === 'rejected') throw shown.reason;
    return [...(counted.status === 'fulfilled' ? counted.value : []), ...shown.value];
  };
}

/** The output of `systemctl list-units`: unit, load state, active state and more in each line. */
export function countReadings(output: string): Reading[] {
  const counts = new Map(STATES.map((state) => [state, 0]));
  for (const line of output.split('\n')) {
    // Older versions mark what has failed with a dot.
    const [, , state] = line.replace(/^[^A-Za-z0-9_-]+/, '').split(/\s+/);
    if (state !== undefined) counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return [...counts].map(([state, value]) => {
    return { metricName: 'systemd.unit.count', labels: { 'systemd.unit.active_state': state }, value };
  });
}

/**
 * The output of `systemctl show --property=Id,LoadState,ActiveState`: a block of lines for each unit, in the order of the names.
 * A unit has the name that it was asked for by, which may be an alias.
 */
export function unitReadings(output: string, names: readonly string[], parts: Pick<Parts, 'reject'>): Reading[] {
  const blocks = output.trim().split(/\n\n+/);
  return names.flatMap((name, index) => {
    const value = (property: string): string =>
      new RegExp(`^${property}=(.*)$`, 'm').exec(blocks[index] ?? '')?.[1] ?? '';
    const isThere = value('Id') !== '' && value('LoadState') !== 'not-found';
    if (!isThere) parts.reject(name, NO_SUCH_UNIT);
    // One that has been taken away is in no state: whoever waits for it to be active learns of it.
    return stateReadings(name, isThere ? value('ActiveState') : '');
  });
}

function otherReader(machine: Machine, units: readonly string[]): Reader {
  return async (_signal, parts) => {
    if (units.length === 0) return [];
    const known = await machine.si.services(units.join(','));
    // Windows knows how each of its services starts; one without that is not there.
    const isThere = (one: { running: boolean; startmode: string }): boolean =>
      one.running || one.startmode !== '' || machine.platform !== 'win32';
    return units.flatMap((unit) => {
      const service = known.find(({ name }) => name.toLowerCase() === unit.toLowerCase());
      if (service && isThere(service)) return stateReadings(unit, service.running ? 'active' : 'inactive');
      parts.reject(unit, NO_SUCH_UNIT);
      return stateReadings(unit, '');
    });
  };
}

const stateReadings = (unit: string, now: string): Reading[] =>
  STATES.map((state) => {
    const labels = { 'systemd.unit.name': unit, 'systemd.unit.active_state': state };
    return { metricName: 'systemd.unit.state', labels, value: state === now ? 1 : 0 };
  });
