import type { Labels, Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';
import { readIfThere, readNumber, type Machine } from './machine.js';

export const battery: PcGroup = {
  name: 'battery',
  metrics: ['hw.battery.charge', 'hw.battery.time_left', 'hw.status'],
  startsProgram: 'outside Linux',
  slow: 30_000,
  configure: () => (machine) => async () => {
    if (machine.platform !== 'linux') return readOther(machine);
    const readings: Reading[] = [];
    for (const id of await machine.list(SUPPLIES)) {
      if (await isOfThisPc(machine, id)) readings.push(...(await readBattery(machine, id)));
    }
    return readings;
  },
};

const SUPPLIES = 'sys/class/power_supply';
const STATES = ['charging', 'discharging', 'full', 'not_charging'];
/** A rate near 0 gives times that say nothing, seconds. */
const MOST_TIME = 30 * 86_400;

/** Mice, pens and headsets have batteries as well; an empty bay may keep its folder. */
async function isOfThisPc(machine: Machine, id: string): Promise<boolean> {
  const text = (name: string): Promise<string | undefined> => readIfThere(machine, `${SUPPLIES}/${id}/${name}`);
  return (await text('type')) === 'Battery' && (await text('scope')) !== 'Device' && (await text('present')) !== '0';
}

/** See the kernel's Documentation/ABI/testing/sysfs-class-power. */
async function readBattery(machine: Machine, id: string): Promise<Reading[]> {
  const number = (name: string): Promise<number | undefined> => readNumber(machine, `${SUPPLIES}/${id}/${name}`);
  const amount = await amountOf(number);
  const charge = (await number('capacity')) ?? (amount?.whole ? (amount.left / amount.whole) * 100 : undefined);
  const text = (await readIfThere(machine, `${SUPPLIES}/${id}/status`))?.toLowerCase().replaceAll(' ', '_');
  const state = text !== undefined && STATES.includes(text) ? text : undefined;
  return [
    ...chargeReading(id, charge),
    ...timeReading(id, state, amount && secondsLeft(state, amount)),
    ...(state === undefined ? [] : stateReadings(id, state)),
  ];
}

/** What a battery holds: µWh and µW, or µAh and µA. */
interface Amount {
  readonly left: number;
  readonly whole: number | undefined;
  /** Some drivers give a negative one while discharging. */
  readonly rate: number | undefined;
}

/** A battery tells its energy or its charge, and its power or its current; where they do not fit, its voltage joins them. */
async function amountOf(number: (name: string) => Promise<number | undefined>): Promise<Amount | undefined> {
  const volts = ((await number('voltage_now')) ?? 0) / 1e6;
  const [power, current] = [await number('power_now'), await number('current_now')];
  const energy = await number('energy_now');
  if (energy !== undefined) {
    const rate = power ?? (current !== undefined && volts > 0 ? current * volts : undefined);
    return { left: energy, whole: await number('energy_full'), rate };
  }
  const charge = await number('charge_now');
  if (charge === undefined) return undefined;
  const rate = current ?? (power !== undefined && volts > 0 ? power / volts : undefined);
  return { left: charge, whole: await number('charge_full'), rate };
}

/** Until it is empty or full; undefined where it does not change. */
function secondsLeft(state: string | undefined, { left, whole, rate }: Amount): number | undefined {
  if (!rate) return undefined;
  if (state === 'discharging') return (Math.max(0, left) / Math.abs(rate)) * 3600;
  return state === 'charging' && whole !== undefined ? (Math.max(0, whole - left) / Math.abs(rate)) * 3600 : undefined;
}

/** Some batteries tell a little more than their whole, as 104 %. */
const chargeReading = (id: string, percent: number | undefined): Reading[] =>
  percent === undefined || !Number.isFinite(percent) || percent > 200
    ? []
    : [{ metricName: 'hw.battery.charge', labels: { 'hw.id': id }, value: Math.max(0, Math.min(1, percent / 100)) }];

function timeReading(id: string, state: string | undefined, seconds: number | undefined): Reading[] {
  if (state === undefined || seconds === undefined || seconds > MOST_TIME) return [];
  const labels: Labels = { 'hw.id': id, 'hw.state': state, 'hw.battery.state': state };
  return [{ metricName: 'hw.battery.time_left', labels, value: seconds }];
}

function stateReadings(id: string, now: string): Reading[] {
  return STATES.map((state) => {
    const labels = { 'hw.id': id, 'hw.type': 'battery', 'hw.state': state };
    return { metricName: 'hw.status', labels, value: state === now ? 1 : 0 };
  });
}

async function readOther({ si }: Machine): Promise<Reading[]> {
  const { hasBattery, percent, isCharging, acConnected, timeRemaining } = await si.battery();
  if (!hasBattery) return [];
  const id = 'battery';
  const atMains = percent >= 100 ? 'full' : 'not_charging';
  const state = isCharging ? 'charging' : acConnected ? atMains : 'discharging';
  const minutes = timeRemaining as number | null;
  const seconds = minutes !== null && minutes > 0 ? minutes * 60 : undefined;
  const changes = state === 'charging' || state === 'discharging';
  return [
    ...chargeReading(id, percent),
    ...timeReading(id, state, changes ? seconds : undefined),
    ...stateReadings(id, state),
  ];
}
