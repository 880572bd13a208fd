import type { Reading } from '@device-metrics/domain';
import type { PcGroup } from './group.js';
import { readNumber, type Machine } from './machine.js';

export const gpu: PcGroup = {
  name: 'gpu',
  metrics: ['hw.gpu.utilization', 'hw.gpu.memory.usage', 'hw.gpu.memory.limit', 'hw.power', 'hw.temperature'],
  startsProgram: 'everywhere',
  configure: () => (machine) => async () => {
    if (machine.platform !== 'linux') return readSystemInformation(machine);
    const cards = await readCards(machine);
    // NVIDIA's driver tells nothing in /sys; systeminformation asks its nvidia-smi.
    const nvidia = (await machine.list('proc/driver/nvidia/gpus')).length > 0;
    return [...cards, ...(nvidia ? await readSystemInformation(machine) : [])];
  },
};

/** The cards whose driver tells its load in /sys/class/drm, as amdgpu does. */
async function readCards(machine: Machine): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const card of await machine.list('sys/class/drm')) {
    if (!/^card\d+$/.test(card)) continue;
    const number = (name: string): Promise<number | undefined> =>
      readNumber(machine, `sys/class/drm/${card}/device/${name}`);
    const add = (metricName: string, value: number | undefined): void => {
      if (value !== undefined) readings.push({ metricName, labels: { 'hw.id': card }, value });
    };
    const busy = await number('gpu_busy_percent');
    add('hw.gpu.utilization', busy === undefined ? undefined : busy / 100);
    add('hw.gpu.memory.usage', await number('mem_info_vram_used'));
    add('hw.gpu.memory.limit', await number('mem_info_vram_total'));
  }
  return readings;
}

const MIB = 2 ** 20;

async function readSystemInformation({ si }: Machine): Promise<Reading[]> {
  const { controllers } = await si.graphics();
  return controllers.flatMap((controller, index) => {
    const { model, utilizationGpu, memoryUsed, memoryTotal, powerDraw, temperatureGpu } = controller;
    const labels = { 'hw.id': String(index), 'hw.name': model };
    const reading = (metricName: string, value: number | undefined, factor: number, others = {}): Reading[] =>
      typeof value === 'number' && Number.isFinite(value)
        ? [{ metricName, labels: { ...labels, ...others }, value: value * factor }]
        : [];
    return [
      ...reading('hw.gpu.utilization', utilizationGpu, 0.01),
      ...reading('hw.gpu.memory.usage', memoryUsed, MIB),
      ...reading('hw.gpu.memory.limit', memoryTotal, MIB),
      ...reading('hw.power', powerDraw, 1, { 'hw.type': 'gpu' }),
      ...reading('hw.temperature', temperatureGpu, 1),
    ];
  });
}
