import type { Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';
import { readIfThere, readNumber, type Machine } from './machine.js';

export const temperature: PcGroup = {
  name: 'temperature',
  metrics: ['hw.temperature', 'hw.fan.speed'],
  startsProgram: 'outside Linux',
  configure: () => (machine) => async () => {
    if (machine.platform !== 'linux') return readOther(machine);
    const sensors = await readHwmon(machine);
    // A board without drivers for its sensors may still have thermal zones.
    return sensors.length > 0 ? sensors : readThermalZones(machine);
  },
};

const HWMON = 'sys/class/hwmon';

/** Sensors of /sys/class/hwmon: temperatures in thousandths of a degree, fans in revolutions per minute. */
async function readHwmon(machine: Machine): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const monitor of await machine.list(HWMON)) {
    const folder = `${HWMON}/${monitor}`;
    const chip = (await readIfThere(machine, `${folder}/name`)) ?? monitor;
    for (const file of (await machine.list(folder)).sort()) {
      const [, sensor = '', kind] = /^((temp|fan)\d+)_input$/.exec(file) ?? [];
      // A sensor that is there but not connected cannot be read.
      const value = kind === undefined ? undefined : await readNumber(machine, `${folder}/${file}`);
      if (value === undefined) continue;
      const labels = {
        'hw.id': `${monitor}/${sensor}`,
        'hw.name': (await readIfThere(machine, `${folder}/${sensor}_label`)) ?? sensor,
        'hw.parent': chip,
      };
      readings.push(
        kind === 'fan'
          ? { metricName: 'hw.fan.speed', labels, value }
          : { metricName: 'hw.temperature', labels, value: value / 1000 },
      );
    }
  }
  return readings;
}

async function readThermalZones(machine: Machine): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const zone of await machine.list('sys/class/thermal')) {
    if (!zone.startsWith('thermal_zone')) continue;
    const value = await readNumber(machine, `sys/class/thermal/${zone}/temp`);
    const sensor = (await readIfThere(machine, `sys/class/thermal/${zone}/type`)) ?? zone;
    if (value !== undefined) {
      readings.push({
        metricName: 'hw.temperature',
        labels: { 'hw.id': zone, 'hw.name': sensor },
        value: value / 1000,
      });
    }
  }
  return readings;
}

async function readOther({ si }: Machine): Promise<Reading[]> {
  const { main, cores } = (await si.cpuTemperature()) as { main: number | null; cores: number[] };
  const all: [string, number | null][] = [
    ['cpu', main],
    ...cores.map((value, core) => [`core ${core}`, value] as [string, number]),
  ];
  return all.flatMap(([sensor, value]) => {
    return value === null ? [] : [{ metricName: 'hw.temperature', labels: { 'hw.id': sensor }, value }];
  });
}
