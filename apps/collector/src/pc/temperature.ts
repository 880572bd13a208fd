import type { Labels, Reading } from '@device-metrics/domain';
import { patternsOf, type PcGroup } from './group.js';
import { stableIdentity, uniqueNames } from './linux/hardware-identity.js';
import { readIfThere, readNumber, type Machine } from './machine.js';

export const temperature: PcGroup = {
  name: 'temperature',
  metrics: ['hw.temperature', 'hw.temperature.limit', 'hw.fan.speed'],
  startsProgram: 'outside Linux',
  configure: (keys) => {
    const isExcluded = patternsOf(keys, 'exclude', []);
    const isWanted = (labels: Labels = {}): boolean => !Object.values(labels).some(isExcluded);
    return (machine) => {
      if (machine.platform !== 'linux') {
        return async () => (await readOther(machine)).filter(({ labels }) => isWanted(labels));
      }
      const known = new KnownSensors(machine);
      return async () => {
        const sensors = (await known.sensors()).filter(({ labels }) => isWanted(labels));
        return (await Promise.all(sensors.map((sensor) => readSensor(machine, sensor)))).flat();
      };
    };
  },
};

const HWMON = 'sys/class/hwmon';
const ZONES = 'sys/class/thermal';
/** For so many runs the sensors that were found are those that there are; a chip that comes or goes ends it. */
const RUNS_OF_SCAN = 60;

interface Sensor {
  readonly metricName: 'hw.temperature' | 'hw.fan.speed';
  /** Its value: of temperatures in thousandths of a degree, of fans in revolutions per minute. */
  readonly file: string;
  /** Holds 1 while the sensor is not connected; undefined where it has no such file. */
  readonly fault?: string | undefined;
  readonly labels: Labels;
  /** What it says itself that it must not reach, °C. */
  readonly critical?: number | undefined;
}

/** What does not change from run to run is read once: names, labels and limits are more files than values. */
class KnownSensors {
  private found: Sensor[] = [];
  private chips = '';
  private runs = 0;

  constructor(private readonly machine: Machine) {}

  async sensors(): Promise<readonly Sensor[]> {
    const chips = (await this.machine.list(HWMON)).sort(byNumber);
    if (this.runs === 0 || chips.join() !== this.chips) this.found = await this.scan(chips);
    this.chips = chips.join();
    this.runs = (this.runs + 1) % RUNS_OF_SCAN;
    return this.found;
  }

  /** A board without drivers for its sensors may still have thermal zones; elsewhere they are the same sensors again. */
  private async scan(chips: readonly string[]): Promise<Sensor[]> {
    const sensors = await chipSensors(this.machine, chips);
    const readings = await Promise.all(sensors.map((sensor) => readSensor(this.machine, sensor)));
    const hasTemperature = readings.flat().some(({ metricName }) => metricName === 'hw.temperature');
    return hasTemperature ? sensors : [...sensors, ...(await thermalZones(this.machine))];
  }
}

/** The sensors of /sys/class/hwmon; see the kernel's Documentation/hwmon/sysfs-interface.rst. */
async function chipSensors(machine: Machine, monitors: readonly string[]): Promise<Sensor[]> {
  const nameOf = uniqueNames();
  const sensors: Sensor[] = [];
  for (const monitor of monitors) {
    const folder = `${HWMON}/${monitor}`;
    const name = (await readIfThere(machine, `${folder}/name`)) ?? 'unknown';
    // Of what the chip sits on, as its own number changes from start to start.
    const device = (await stableIdentity(machine, `${folder}/device`)) ?? name;
    const id = nameOf(device.includes(name) ? device : `${name}/${device}`);
    const files = new Set(await machine.list(folder));
    for (const file of [...files].sort()) {
      const [, sensor = '', kind] = /^((temp|fan)\d+)_input$/.exec(file) ?? [];
      if (kind === undefined) continue;
      const label = await readIfThere(machine, `${folder}/${sensor}_label`);
      const critical = kind === 'temp' ? await readNumber(machine, `${folder}/${sensor}_crit`) : undefined;
      sensors.push({
        metricName: kind === 'fan' ? 'hw.fan.speed' : 'hw.temperature',
        file: `${folder}/${file}`,
        fault: files.has(`${sensor}_fault`) ? `${folder}/${sensor}_fault` : undefined,
        labels: { 'hw.id': `${id}/${sensor}`, 'hw.name': label ?? sensor, 'hw.parent': name },
        critical: critical === undefined ? undefined : critical / 1000,
      });
    }
  }
  return sensors;
}

/** `hwmon2` before `hwmon10`. */
const byNumber = (a: string, b: string): number => Number(/\d+$/.exec(a)?.[0]) - Number(/\d+$/.exec(b)?.[0]);

async function thermalZones(machine: Machine): Promise<Sensor[]> {
  const sensors: Sensor[] = [];
  const nameOf = uniqueNames();
  for (const zone of (await machine.list(ZONES)).filter((name) => name.startsWith('thermal_zone')).sort(byNumber)) {
    const type = (await readIfThere(machine, `${ZONES}/${zone}/type`)) ?? zone;
    const device = await stableIdentity(machine, `${ZONES}/${zone}/device`);
    const id = nameOf(device === undefined ? type : `${type}/${device}`);
    const labels = { 'hw.id': id, 'hw.name': type };
    sensors.push({ metricName: 'hw.temperature', file: `${ZONES}/${zone}/temp`, labels });
  }
  return sensors;
}

/** Nothing of one that is not connected: it cannot be read, says so, or gives what cannot be. */
async function readSensor(machine: Machine, sensor: Sensor): Promise<Reading[]> {
  const { metricName, file, fault, labels, critical } = sensor;
  const number = await readNumber(machine, file);
  if (number === undefined) return [];
  const value = metricName === 'hw.fan.speed' ? number : number / 1000;
  if (!isPossible(metricName, value) || (fault !== undefined && (await readNumber(machine, fault)) === 1)) return [];
  const limit = { ...labels, 'hw.limit_type': 'high.critical' };
  return [
    { metricName, labels, value },
    ...(critical !== undefined && critical > 0 && isPossible(metricName, critical)
      ? [{ metricName: 'hw.temperature.limit', labels: limit, value: critical }]
      : []),
  ];
}

/** A sensor that is not connected, or whose chip is asleep, gives numbers that nothing in a PC has. °C and rpm. */
const isPossible = (metricName: Sensor['metricName'], value: number): boolean =>
  metricName === 'hw.fan.speed' ? value >= 0 && value < 50_000 : value > -100 && value < 250;

async function readOther({ si }: Machine): Promise<Reading[]> {
  const { main, cores } = (await si.cpuTemperature()) as { main: number | null; cores: number[] };
  const all: [string, number | null][] = [
    ['cpu', main],
    ...cores.map((value, core) => [`core ${core}`, value] as [string, number]),
  ];
  // It gives 0 and less for what it does not know.
  return all.flatMap(([sensor, value]) =>
    value !== null && value > 0 && isPossible('hw.temperature', value)
      ? [{ metricName: 'hw.temperature', labels: { 'hw.id': sensor }, value }]
      : [],
  );
}
