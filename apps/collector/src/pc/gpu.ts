import { reasonOf, type Labels, type Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';
import { stableIdentity } from './linux/hardware-identity.js';
import { readIfThere, readNumber, type Machine } from './machine.js';

export const gpu: PcGroup = {
  name: 'gpu',
  metrics: ['hw.gpu.utilization', 'hw.gpu.memory.usage', 'hw.gpu.memory.limit', 'hw.power', 'hw.temperature'],
  startsProgram: 'everywhere',
  configure: () => (machine) => async (signal, parts) => {
    if (machine.platform === 'darwin') return [];
    if (machine.platform === 'win32') return readNvidia(machine, signal).catch(() => readSystemInformation(machine));
    const cards = await readCards(machine);
    // NVIDIA's driver tells nothing in /sys.
    if (!(await hasNvidia(machine))) return cards;
    try {
      return [...cards, ...(await readNvidia(machine, signal))];
    } catch (error) {
      parts.reject('nvidia-smi', reasonOf(error));
      return cards;
    }
  },
};

/** Whether there is a card of NVIDIA that is awake: to ask one that sleeps would wake it, and cost a laptop its battery. */
async function hasNvidia(machine: Machine): Promise<boolean> {
  const addresses = await machine.list('proc/driver/nvidia/gpus');
  const states = addresses.map((address) =>
    readIfThere(machine, `sys/bus/pci/devices/${address}/power/runtime_status`),
  );
  return (await Promise.all(states)).some((state) => state !== 'suspended');
}

/** The cards whose driver tells its load in /sys/class/drm, as amdgpu does. */
async function readCards(machine: Machine): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const card of await machine.list('sys/class/drm')) {
    if (!/^card\d+$/.test(card)) continue;
    const device = `sys/class/drm/${card}/device`;
    if ((await readIfThere(machine, `${device}/power/runtime_status`)) === 'suspended') continue;
    const number = (name: string): Promise<number | undefined> => readNumber(machine, `${device}/${name}`);
    const busy = await number('gpu_busy_percent');
    const used = await number('mem_info_vram_used');
    // Its place in the machine: the number of a card is given out anew at each start.
    const labels = { 'hw.id': (await stableIdentity(machine, device)) ?? card };
    readings.push(
      ...cardReadings(labels, {
        'hw.gpu.utilization': busy === undefined ? undefined : busy / 100,
        'hw.gpu.memory.usage': used,
        'hw.gpu.memory.limit': await number('mem_info_vram_total'),
      }),
    );
  }
  return readings;
}

const FIELDS = [
  'pci.bus_id',
  'name',
  'utilization.gpu',
  'memory.used',
  'memory.total',
  'power.draw',
  'temperature.gpu',
];
const MIB = 2 ** 20;

async function readNvidia(machine: Machine, signal: AbortSignal): Promise<Reading[]> {
  const args = [`--query-gpu=${FIELDS.join(',')}`, '--format=csv,noheader,nounits'];
  return nvidiaReadings(await machine.run('nvidia-smi', args, signal));
}

/** The output of nvidia-smi: a line for each card, with `[N/A]` or the like where the card does not tell. */
export function nvidiaReadings(output: string): Reading[] {
  return output.split('\n').flatMap((line) => {
    const [address = '', name = '', ...texts] = line.split(',').map((text) => text.trim());
    if (address === '') return [];
    const [busy, used, size, power, temperature] = texts.map((text) => (text === '' ? NaN : Number(text)));
    // NVIDIA writes eight digits for the domain of the bus, the kernel four.
    const labels = { 'hw.id': address.toLowerCase().replace(/^0000(?=\d{4}:)/, ''), 'hw.name': name };
    return cardReadings(labels, {
      'hw.gpu.utilization': busy === undefined ? undefined : busy / 100,
      'hw.gpu.memory.usage': used === undefined ? undefined : used * MIB,
      'hw.gpu.memory.limit': size === undefined ? undefined : size * MIB,
      'hw.power': power,
      'hw.temperature': temperature,
    });
  });
}

/** Where nvidia-smi cannot be started. It leaves out what is 0, so an idle card has no utilization here. */
async function readSystemInformation({ si }: Machine): Promise<Reading[]> {
  const { controllers } = await si.graphics();
  return controllers.flatMap((controller, index) => {
    const { model, utilizationGpu, memoryUsed, memoryTotal, powerDraw, temperatureGpu } = controller;
    const times = (value: number | undefined, factor: number): number | undefined =>
      typeof value === 'number' ? value * factor : undefined;
    return cardReadings(
      { 'hw.id': String(index), 'hw.name': model },
      {
        'hw.gpu.utilization': times(utilizationGpu, 0.01),
        'hw.gpu.memory.usage': times(memoryUsed, MIB),
        'hw.gpu.memory.limit': times(memoryTotal, MIB),
        'hw.power': powerDraw,
        'hw.temperature': temperatureGpu,
      },
    );
  });
}

/** Without what the card does not tell, and what it cannot be. */
function cardReadings(labels: Labels, values: Readonly<Record<string, number | undefined>>): Reading[] {
  return Object.entries(values).flatMap(([metricName, value]) => {
    if (value === undefined || !Number.isFinite(value) || value < 0) return [];
    const all = metricName === 'hw.power' ? { ...labels, 'hw.type': 'gpu' } : labels;
    return [{ metricName, labels: all, value: metricName === 'hw.gpu.utilization' ? Math.min(1, value) : value }];
  });
}
