import { describe, expect, it } from '@jest/globals';
import { GroupReader, laptop, linuxWith, read } from '../../test/pc.js';
import { gpu } from './gpu.js';
import type { Machine } from './machine.js';

const NVIDIA = { 'proc/driver/nvidia/gpus/0000:01:00.0/information': '' };
const smi =
  (output: string): Machine['run'] =>
  (program) =>
    program === 'nvidia-smi' ? Promise.resolve(output) : Promise.reject(new Error(`there is no ${program}`));

describe('a graphics card', () => {
  it('is read from /sys/class/drm, and known by its slot: the numbers of cards change', async () => {
    expect(await read(gpu, laptop)).toEqual([
      'hw.gpu.utilization{hw.id="card0"} 0.37',
      'hw.gpu.memory.usage{hw.id="card0"} 536870912',
      'hw.gpu.memory.limit{hw.id="card0"} 8589934592',
    ]);
    const slot = 'sys/devices/pci0000:00/0000:00:01.1/0000:03:00.0';
    const amd = (card: string): Machine =>
      linuxWith({ [`sys/class/drm/${card}/device`]: `-> ${slot}`, [`${slot}/gpu_busy_percent`]: '0\n' });
    expect(await read(gpu, amd('card0'))).toEqual(['hw.gpu.utilization{hw.id="0000:03:00.0"} 0']);
    expect(await read(gpu, amd('card1'))).toEqual(['hw.gpu.utilization{hw.id="0000:03:00.0"} 0']);
  });

  it('of NVIDIA that is idle has 0 % and 0 MiB, and nothing that it does not tell', async () => {
    const output =
      '00000000:01:00.0, NVIDIA GeForce RTX 3060, 0, 0, 12288, 14.06, 31\n' +
      '00000000:02:00.0, Quadro K620, [N/A], 12, 2002, [Not Supported], 40\n';
    expect(await read(gpu, linuxWith(NVIDIA, { run: smi(output) }))).toEqual([
      'hw.gpu.utilization{hw.id="0000:01:00.0",hw.name="NVIDIA GeForce RTX 3060"} 0',
      'hw.gpu.memory.usage{hw.id="0000:01:00.0",hw.name="NVIDIA GeForce RTX 3060"} 0',
      'hw.gpu.memory.limit{hw.id="0000:01:00.0",hw.name="NVIDIA GeForce RTX 3060"} 12884901888',
      'hw.power{hw.id="0000:01:00.0",hw.name="NVIDIA GeForce RTX 3060",hw.type="gpu"} 14.06',
      'hw.temperature{hw.id="0000:01:00.0",hw.name="NVIDIA GeForce RTX 3060"} 31',
      'hw.gpu.memory.usage{hw.id="0000:02:00.0",hw.name="Quadro K620"} 12582912',
      'hw.gpu.memory.limit{hw.id="0000:02:00.0",hw.name="Quadro K620"} 2099249152',
      'hw.temperature{hw.id="0000:02:00.0",hw.name="Quadro K620"} 40',
    ]);
  });

  it('that sleeps is left to sleep', async () => {
    const asleep = { ...NVIDIA, 'sys/bus/pci/devices/0000:01:00.0/power/runtime_status': 'suspended\n' };
    const run: Machine['run'] = () => Promise.reject(new Error('it is awake now'));
    const reader = new GroupReader(gpu, linuxWith(asleep, { run }));
    expect([await reader.read(), reader.rejected]).toEqual([[], []]);
  });

  it('of NVIDIA that does not answer costs no other', async () => {
    const run: Machine['run'] = () => Promise.reject(new Error('NVIDIA-SMI has failed'));
    const amd = { 'sys/class/drm/card0/device/gpu_busy_percent': '150\n' };
    const reader = new GroupReader(gpu, linuxWith({ ...NVIDIA, ...amd }, { run }));
    expect(await reader.read()).toEqual(['hw.gpu.utilization{hw.id="card0"} 1']);
    expect(reader.rejected).toEqual(['nvidia-smi: NVIDIA-SMI has failed']);
  });

  it('on Windows is asked by nvidia-smi too, or else by systeminformation', async () => {
    const controllers = [{ model: 'RTX', utilizationGpu: 50, memoryUsed: 1 }];
    const si = { graphics: () => Promise.resolve({ controllers, displays: [] }) };
    const windows = { ...laptop, platform: 'win32', si } as unknown as Machine;
    expect(await read(gpu, { ...windows, run: smi('00000000:01:00.0, RTX, 0, 0, 1, 2, 3\n') })).toHaveLength(5);
    expect(await read(gpu, { ...windows, run: () => Promise.reject(new Error('ENOENT')) })).toEqual([
      'hw.gpu.utilization{hw.id="0",hw.name="RTX"} 0.5',
      'hw.gpu.memory.usage{hw.id="0",hw.name="RTX"} 1048576',
    ]);
  });
});
