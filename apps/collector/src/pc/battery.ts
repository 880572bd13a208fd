import type { Labels, Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';
import { readIfThere, readNumber, type Machine } from './machine.js';

export const battery: PcGroup = {
  name: 'battery',
  metrics: ['hw.battery.charge', 'hw.battery.time_left', 'hw.status'],
  startsProgram: 'outside Linux',
  configure: () => (machine) => async () => {
    if (machine.platform !== 'linux') return readOther(machine);
    const readings: Reading[] = [];
    for (const id of await machine.list(SUPPLIES)) {
      if ((await readIfThere(machine, `${SUPPLIES}/${id}/type`)) === 'Battery')
        readings.push(...(await readBattery(machine, id)));
    }
    return readings;
  },
};

const SUPPLIES = 'sys/class/power_supply';
const STATES = ['charging', 'discharging', 'full'];

/** See the kernel's Documentation/ABI/testing/sysfs-class-power; energy in µWh with µW, or charge in µAh with µA. */
async function readBattery(machine: Machine, id: string): Promise<Reading[]> {
  const number = (name: string): Promise<number | undefined> => readNumber(machine, `${SUPPLIES}/${id}/${name}`);
  const capacity = await number('capacity');
  const left = (await number('energy_now')) ?? (await number('charge_now'));
  const whole = (await number('energy_full')) ?? (await number('charge_full'));
  const rate = (await number('power_now')) ?? (await number('current_now'));
  const status = (await readIfThere(machine, `${SUPPLIES}/${id}/status`))?.toLowerCase();
  const hours = hoursLeft(status, left, whole, rate);
  return [
    ...(capacity === undefined
      ? []
      : [{ metricName: 'hw.battery.charge', labels: { 'hw.id': id }, value: capacity / 100 }]),
    ...(hours === undefined
      ? []
      : [{ metricName: 'hw.battery.time_left', labels: timeLabels(id, status ?? ''), value: hours * 3600 }]),
    ...(status === undefined ? [] : stateReadings(id, status === 'not charging' ? 'full' : status)),
  ];
}

/** Until it is empty or full; undefined where it does not change. Some drivers give a negative rate while discharging. */
function hoursLeft(status = '', left?: number, whole?: number, rate?: number): number | undefined {
  if (left === undefined || !rate) return undefined;
  if (status === 'discharging') return left / Math.abs(rate);
  return status === 'charging' && whole !== undefined ? Math.max(0, whole - left) / Math.abs(rate) : undefined;
}

const timeLabels = (id: string, state: string): Labels => ({
  'hw.id': id,
  'hw.state': state,
  'hw.battery.state': state,
});

function stateReadings(id: string, now: string): Reading[] {
  return STATES.map((state) => {
    return {
      metricName: 'hw.status',
      labels: { 'hw.id': id, 'hw.type': 'battery', 'hw.state': state },
      value: state === now ? 1 : 0,
    };
  });
}

async function readOther({ si }: Machine): Promise<Reading[]> {
  const { hasBattery, percent, isCharging, acConnected, timeRemaining } = await si.battery();
  if (!hasBattery) return [];
  const id = 'battery';
  const state = isCharging ? 'charging' : acConnected ? 'full' : 'discharging';
  const minutes = timeRemaining as number | null;
  return [
    { metricName: 'hw.battery.charge', labels: { 'hw.id': id }, value: percent / 100 },
    ...(minutes !== null && minutes > 0
      ? [{ metricName: 'hw.battery.time_left', labels: timeLabels(id, state), value: minutes * 60 }]
      : []),
    ...stateReadings(id, state),
  ];
}
