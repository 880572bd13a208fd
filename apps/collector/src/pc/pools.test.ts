import { describe, expect, it } from '@jest/globals';
import { GroupReader, linuxWith, read, values } from '../../test/pc.js';
import { pools } from './pools.js';

/** Which state each pool is in. */
async function states(files: Readonly<Record<string, string>>): Promise<unknown[][]> {
  const all = values(
    await new GroupReader(pools, linuxWith(files)).readings(),
    'hw.status',
    'hw.id',
    'hw.type',
    'hw.state',
  );
  return all.filter((one) => one.at(-1) === 1).map((one) => one.slice(0, 3));
}

describe('pools', () => {
  it('are arrays of md: whole, with a disk missing, and broken', async () => {
    const array = (name: string, state: string, degraded?: number, others = {}): Record<string, string> => ({
      [`sys/block/${name}/md/array_state`]: `${state}\n`,
      ...(degraded !== undefined && { [`sys/block/${name}/md/degraded`]: `${degraded}\n` }),
      ...Object.fromEntries(
        Object.entries(others).map(([file, text]) => [`sys/block/${name}/md/${file}`, `${String(text)}\n`]),
      ),
    });
    expect(
      await states({
        ...array('md0', 'clean', 0),
        ...array('md1', 'active', 1),
        ...array('md2', 'inactive', 0),
        ...array('md3', 'broken'),
        // Of RAID 0 there is no number of missing disks.
        ...array('md4', 'clean'),
        ...array('md127', 'active', 0, { uuid: 'a1b2-c3' }),
        ...array('md126', 'inactive', undefined, { level: 'container' }),
        'sys/block/sda/size': '1',
      }),
    ).toEqual([
      ['md0', 'logical_disk', 'ok'],
      ['md1', 'logical_disk', 'degraded'],
      ['md2', 'logical_disk', 'failed'],
      ['md3', 'logical_disk', 'failed'],
      ['md4', 'logical_disk', 'ok'],
      ['a1b2-c3', 'logical_disk', 'ok'],
    ]);
  });

  it('are those of ZFS', async () => {
    const state = (pool: string, text: string): [string, string] => [`proc/spl/kstat/zfs/${pool}/state`, `${text}\n`];
    expect(
      await states({
        ...Object.fromEntries([state('tank', 'ONLINE'), state('backup', 'DEGRADED'), state('old', 'SUSPENDED')]),
        'proc/spl/kstat/zfs/arcstats': 'size 4 1\n',
      }),
    ).toEqual([
      ['tank', 'logical_disk', 'ok'],
      ['backup', 'logical_disk', 'degraded'],
      ['old', 'logical_disk', 'failed'],
    ]);
  });

  it('are those of Btrfs, with what it found damaged', async () => {
    const uuid = 'sys/fs/btrfs/8a5b';
    const files = {
      'sys/fs/btrfs/features/raid56': '0\n',
      [`${uuid}/label`]: 'data\n',
      [`${uuid}/devinfo/1/missing`]: '0\n',
      [`${uuid}/devinfo/1/error_stats`]: 'write_errs 0\ncorruption_errs 3\n',
      [`${uuid}/devinfo/2/missing`]: '1\n',
      [`${uuid}/devinfo/2/error_stats`]: 'write_errs 2\ncorruption_errs 4\n',
    };
    expect(await states(files)).toEqual([['8a5b', 'logical_disk', 'degraded']]);
    expect(
      values(await new GroupReader(pools, linuxWith(files)).readings(), 'hw.errors', 'hw.name', 'error.type'),
    ).toEqual([
      ['data', 'write', 2],
      ['data', 'corruption', 7],
    ]);
  });

  it('are absent where there is none', async () => {
    expect(await read(pools, linuxWith({ 'sys/block/sda/size': '1' }))).toEqual([]);
  });
});
