import { describe, expect, it } from '@jest/globals';
import type { Reading } from '@device-metrics/domain';
import fc from 'fast-check';
import { GroupReader, laptop, linuxWith, only, read } from '../../test/pc.js';
import { memory, memoryReadings, parseMeminfo } from './memory.js';

const MIB = 2 ** 20;
const meminfo = (kilobytes: Readonly<Record<string, number>>): string =>
  Object.entries(kilobytes)
    .map(([name, count]) => `${name}: ${count} kB\n`)
    .join('');
/** Bytes of memory by state. */
const usage = (readings: readonly Reading[], metric = 'system.memory'): Record<string, number> =>
  Object.fromEntries(
    readings
      .filter(({ metricName }) => metricName === `${metric}.usage`)
      .map(({ labels, value }) => [labels?.[`${metric}.state`] ?? '', value]),
  );

describe('memory', () => {
  it('is read from /proc/meminfo and /proc/vmstat', async () => {
    expect(await read(memory, laptop)).toEqual([
      'system.memory.limit{} 16777216000',
      'system.memory.linux.available{} 9437184000',
      'system.memory.usage{system.memory.state="used"} 7340032000',
      'system.memory.utilization{system.memory.state="used"} 0.4375',
      'system.memory.usage{system.memory.state="free"} 2097152000',
      'system.memory.utilization{system.memory.state="free"} 0.125',
      'system.memory.usage{system.memory.state="buffers"} 524288000',
      'system.memory.utilization{system.memory.state="buffers"} 0.03125',
      'system.memory.usage{system.memory.state="cached"} 6815744000',
      'system.memory.utilization{system.memory.state="cached"} 0.40625',
      'system.paging.usage{system.paging.state="used"} 1048576000',
      'system.paging.utilization{system.paging.state="used"} 0.25',
      'system.paging.usage{system.paging.state="free"} 3145728000',
      'system.paging.utilization{system.paging.state="free"} 0.75',
      'system.paging.faults{system.paging.fault.type="major"} 2599',
      'system.paging.faults{system.paging.fault.type="minor"} 13065960',
      'system.paging.operations{system.paging.direction="in"} 120',
      'system.paging.operations{system.paging.direction="out"} 340',
    ]);
    expect(parseMeminfo('MemTotal: 10 kB\nMemFree: 3 kB\nBuffers: 1 kB\nCached: 2 kB\n').available).toBe(6 * 1024);
  });

  const arcstats = 'name type data\nc_min 4 1073741824\nsize 4 9663676416\n';
  const zfs = {
    'proc/meminfo': meminfo({ MemTotal: 16_777_216, MemFree: 2_097_152, MemAvailable: 4_194_304, Cached: 1_048_576 }),
    'proc/vmstat': '',
    'proc/spl/kstat/zfs/arcstats': arcstats,
  };

  it('that ZFS would give back is not used, but for the least that it keeps', async () => {
    const states = usage(await new GroupReader(memory, linuxWith(zfs)).readings());
    // 16 GiB, of which 4 are available and 8 of ZFS's 9 can be had.
    expect(states).toEqual({ used: 4096 * MIB, free: 2048 * MIB, buffers: 0, cached: 10_240 * MIB });
  });

  it('in a container is not that of the host’s ZFS', async () => {
    const mountinfo = '30 1 0:45 /proc/meminfo /proc/meminfo rw - fuse.lxcfs lxcfs rw\n';
    const container = linuxWith({ ...zfs, 'proc/self/mountinfo': mountinfo });
    expect(usage(await new GroupReader(memory, container).readings())).toMatchObject({ used: 12_288 * MIB });
  });

  it('of LXC is never negative and never above the whole', async () => {
    const lxcfs = meminfo({ MemTotal: 524_288, MemFree: 400_000, MemAvailable: 400_012, Cached: 12, Shmem: 72_532 });
    const states = usage(memoryReadings(parseMeminfo(lxcfs)));
    expect(states).toEqual({ used: 124_276 * 1024, free: 400_000 * 1024, buffers: 0, cached: 12 * 1024 });
    const old = meminfo({
      MemTotal: 524_288,
      MemFree: 400_000,
      Cached: 12,
      Shmem: 72_532,
      SwapTotal: 10,
      SwapFree: 20,
    });
    const readings = memoryReadings(parseMeminfo(old));
    expect(usage(readings)).toMatchObject({ used: 124_288 * 1024, cached: 0 });
    expect(usage(readings, 'system.paging')).toEqual({ used: 0, free: 10 * 1024 });
  });

  it('has states that are parts of the whole, whatever /proc/meminfo says', () => {
    const names = ['MemFree', 'MemAvailable', 'Buffers', 'Cached', 'SReclaimable', 'Shmem', 'SwapTotal', 'SwapFree'];
    const sizes = fc.record(Object.fromEntries(names.map((name) => [name, fc.nat(2_000)])), { requiredKeys: [] });
    fc.assert(
      fc.property(sizes, fc.nat(1_000), fc.nat(3_000_000), (all, total, arc) => {
        const readings = memoryReadings(parseMeminfo(meminfo({ MemTotal: total, ...all }), arc));
        const states = Object.values(usage(readings));
        expect(Math.min(0, ...states)).toBe(0);
        if (total > 0) expect(states.reduce((a, b) => a + b, 0)).toBe(total * 1024);
        for (const { metricName, value } of readings) {
          expect(Number.isFinite(value)).toBe(true);
          if (metricName.endsWith('utilization')) expect(value).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('outside Linux is what systeminformation tells', async () => {
    const mem = () => Promise.resolve({ total: 1_000, available: 600, free: 100, swaptotal: 0, swapfree: 0 });
    const mac = { ...laptop, platform: 'darwin', si: { mem } } as unknown as typeof laptop;
    expect(only(await read(memory, mac), 'system.memory.usage')).toEqual([
      'system.memory.usage{system.memory.state="used"} 400',
      'system.memory.usage{system.memory.state="free"} 100',
      'system.memory.usage{system.memory.state="cached"} 500',
    ]);
  });
});
