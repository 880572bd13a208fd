import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { GroupReader, laptop, linuxWith, only, read, values } from '../../test/pc.js';
import { cpu, heldTimes, parseProcStat, utilizationReadings } from './cpu.js';
import type { Machine } from './machine.js';

/** Of one processor of which only these are not 0; in hundredths of a second. */
const stat = (ticks: { user?: number; idle: number; iowait?: number }, number = 0): string =>
  `cpu${number} ${ticks.user ?? 0} 0 0 ${ticks.idle} ${ticks.iowait ?? 0} 0 0 0 0 0\n`;

describe('cpu', () => {
  it('is read from /proc/stat and cpufreq', async () => {
    const readings = await read(cpu, laptop);
    expect(only(readings, 'system.cpu.time').slice(0, 7)).toEqual([
      'system.cpu.time{cpu.logical_number="0",cpu.mode="user"} 25',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="nice"} 2',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="system"} 3',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="idle"} 19',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="iowait"} 0.13',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="interrupt"} 0.23',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="steal"} 0.06',
    ]);
    expect(readings).toEqual(
      expect.arrayContaining([
        'system.cpu.logical.count{} 2',
        'system.cpu.frequency{cpu.logical_number="0"} 2400000000',
        'system.cpu.load_average.15m{} 0.125',
      ]),
    );
    // cpu1 has no frequency, and nothing happened between two readings of a recorded file.
    expect(only(readings, 'system.cpu.frequency')).toHaveLength(1);
    expect(only(readings, 'system.cpu.utilization')).toEqual([]);
  });

  it('is busy for the share that is neither idle nor waiting', () => {
    const before = new Map([
      ['0', { user: 10, idle: 100, iowait: 5 }],
      ['1', { user: 0, idle: 0, iowait: 0 }],
    ]);
    const after = new Map([
      ['0', { user: 13, idle: 106, iowait: 6 }],
      ['1', { user: 10, idle: -1, iowait: 0 }],
    ]);
    expect(
      utilizationReadings(before, after).map(({ labels, value }) => [labels?.['cpu.logical_number'], value]),
    ).toEqual([
      [undefined, 0.65],
      ['0', 0.3],
      ['1', 1],
    ]);
  });

  it('keeps its number where others are switched off and on', async () => {
    const before = parseProcStat('cpu  8 0 0 8\ncpu0 100 0 0 100\ncpu2 500 0 0 500\n');
    const after = parseProcStat('cpu  8 0 0 8\ncpu0 200 0 0 200\ncpu1 9000 0 0 0\ncpu2 800 0 0 600\n');
    expect(
      utilizationReadings(before, after).map(({ labels, value }) => [labels?.['cpu.logical_number'], value]),
    ).toEqual([
      [undefined, 4 / 6],
      ['0', 0.5],
      ['2', 0.75],
    ]);
    const machine = linuxWith({
      'proc/stat': 'cpu1 900 0 0 100\n',
      'sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq': '2400000\n',
    });
    expect(await read(cpu, machine)).toEqual(
      expect.arrayContaining([
        'system.cpu.time{cpu.logical_number="1",cpu.mode="user"} 9',
        'system.cpu.frequency{cpu.logical_number="1"} 2400000000',
      ]),
    );
  });

  describe('whose time steps back', () => {
    const times = async (...stats: string[]): Promise<unknown[][][]> => {
      const left = [...stats];
      const machine = linuxWith(
        {},
        {
          read: (path) => Promise.resolve(path === 'proc/stat' ? (left.shift() ?? '') : ''),
        },
      );
      const reader = new GroupReader(cpu, machine);
      const all: unknown[][][] = [];
      // The first run looks twice.
      for (let run = 1; run < stats.length; run += 1)
        all.push(values(await reader.readings(), 'system.cpu.time', 'cpu.mode'));
      return all;
    };
    const value = (all: unknown[][] | undefined, mode: string): unknown => all?.find(([one]) => one === mode)?.[1];

    it('holds the last value: neither iowait nor idle may look like a new start', async () => {
      const all = await times(
        stat({ idle: 10_000, iowait: 50_000 }),
        stat({ idle: 10_000, iowait: 50_000 }),
        stat({ idle: 9_999, iowait: 49_990 }),
        stat({ idle: 10_100, iowait: 50_010 }),
      );
      expect(all.map((one) => [value(one, 'iowait'), value(one, 'idle')])).toEqual([
        [500, 100],
        [500, 100],
        [500.1, 101],
      ]);
    });

    it('begins again where idle falls by 3 s or more, with all its modes', async () => {
      const all = await times(
        stat({ user: 900, idle: 10_000 }),
        stat({ user: 900, idle: 10_000 }),
        stat({ user: 100, idle: 9_701 }),
        stat({ user: 100, idle: 9_700 }),
      );
      expect(all.map((one) => [value(one, 'user'), value(one, 'idle')])).toEqual([
        [9, 100],
        [9, 100],
        [1, 97],
      ]);
    });

    it('never falls without a new start of the processor, whatever the kernel tells', () => {
      const ticks = fc.record({ user: fc.nat(2_000), idle: fc.nat(2_000), iowait: fc.nat(2_000) });
      fc.assert(
        fc.property(fc.array(ticks, { minLength: 2, maxLength: 30 }), (all) => {
          let held = parseProcStat(stat(all[0] ?? { idle: 0 }));
          for (const one of all.slice(1)) {
            const now = parseProcStat(stat(one));
            const before = held.get('0') ?? {};
            held = heldTimes(held, now);
            const after = held.get('0') ?? {};
            const anew = one.idle / 100 <= (before['idle'] ?? 0) - 3;
            if (anew) expect(after).toEqual(now.get('0'));
            else for (const mode of Object.keys(after)) expect(after[mode]).toBeGreaterThanOrEqual(before[mode] ?? 0);
          }
        }),
      );
    });
  });

  it('outside Linux is what Node tells, with interrupts of Windows taken out of the system’s time', async () => {
    const cpus: Machine['cpus'] = () => [
      { speed: 2400, times: { user: 1_000, nice: 0, sys: 2_000, idle: 3_000, irq: 500 } },
    ];
    const mac = await read(cpu, { ...laptop, platform: 'darwin', cpus });
    expect(only(mac, 'system.cpu.time')).toContain('system.cpu.time{cpu.logical_number="0",cpu.mode="system"} 2');
    const windows = await read(cpu, { ...laptop, platform: 'win32', cpus });
    expect(only(windows, 'system.cpu.time')).toEqual([
      'system.cpu.time{cpu.logical_number="0",cpu.mode="user"} 1',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="system"} 1.5',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="idle"} 3',
      'system.cpu.time{cpu.logical_number="0",cpu.mode="interrupt"} 0.5',
    ]);
    expect(only(windows, 'system.cpu.load_average.1m')).toEqual([]);
  });
});
