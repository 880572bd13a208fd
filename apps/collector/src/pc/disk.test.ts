import { describe, expect, it } from '@jest/globals';
import { GroupReader, laptop, linuxWith, read, values } from '../../test/pc.js';
import { disk } from './disk.js';

const diskstats = (...names: string[]): string =>
  names.map((name, index) => `   8  ${index} ${name} ${index + 1} 0 8 0 0 0 0 0 0 0 0\n`).join('');

describe('disk', () => {
  it('is read from /proc/diskstats, without partitions and loop devices', async () => {
    const labels = 'system.device="nvme0n1",system.device.stacked="false"';
    expect(await read(disk, laptop)).toEqual([
      `system.disk.io{${labels},disk.io.direction="read"} 1958102016`,
      `system.disk.io{${labels},disk.io.direction="write"} 2123747328`,
      `system.disk.operations{${labels},disk.io.direction="read"} 78607`,
      `system.disk.operations{${labels},disk.io.direction="write"} 8305`,
      `system.disk.merged{${labels},disk.io.direction="read"} 16660`,
      `system.disk.merged{${labels},disk.io.direction="write"} 168085`,
      `system.disk.operation_time{${labels},disk.io.direction="read"} 30.934`,
      `system.disk.operation_time{${labels},disk.io.direction="write"} 19.289`,
      `system.disk.io_time{${labels}} 10.164`,
    ]);
    expect(await read(disk, laptop, { exclude: ['nvme*'] })).toHaveLength(9);
  });

  it('says which are made of others, so that a sum counts once, and calls them as a person does', async () => {
    const machine = linuxWith({
      'proc/diskstats': diskstats('sda', 'sda1', 'sdb', 'dm-0', 'md0', 'zd0', 'cciss/c0d0'),
      'sys/block/sda/size': '1',
      'sys/block/sda/device/wwid': 'naa.5002538e40a1b2c3\n',
      'sys/block/sdb/device/wwid': 't10.ATA     Samsung SSD 850 EVO                     S21NX0AG\n',
      'sys/block/dm-0/dm/name': 'vg0-root\n',
      'sys/block/dm-0/slaves/sda1/size': '1',
      'sys/block/md0/slaves/sda/size': '1',
      'sys/block/zd0/size': '1',
      'sys/block/cciss!c0d0/size': '1',
    });
    const readings = await new GroupReader(disk, machine).readings();
    const names = ['system.device', 'system.device.stacked', 'hw.id', 'disk.io.direction'];
    expect(values(readings, 'system.disk.operations', ...names).filter((one) => one.includes('read'))).toEqual([
      ['sda', 'false', 'naa.5002538e40a1b2c3', 'read', 1],
      ['sdb', 'false', 't10.ATA Samsung SSD 850 EVO S21NX0AG', 'read', 3],
      ['vg0-root', 'true', undefined, 'read', 4],
      ['md0', 'true', undefined, 'read', 5],
      ['zd0', 'true', undefined, 'read', 6],
      ['cciss/c0d0', 'false', undefined, 'read', 7],
    ]);
    expect(await read(disk, machine, { exclude: ['vg0-*', 's*', 'cciss/*', 'zd0'] })).toHaveLength(9);
  });

  it('that is plugged in later is found', async () => {
    const files = { 'proc/diskstats': diskstats('sda', 'sdb'), 'sys/block/sda/size': '1' };
    let machine = linuxWith(files);
    const reader = new GroupReader(disk, {
      ...machine,
      read: (path) => machine.read(path),
      readNow: (path) => machine.readNow(path),
      list: (path) => machine.list(path),
    });
    expect(await reader.readings()).toHaveLength(9);
    machine = linuxWith({ ...files, 'sys/block/sdb/size': '1' });
    expect(await reader.readings()).toHaveLength(18);
  });

  it('outside Linux is that of all disks together', async () => {
    const si = {
      fsStats: () => Promise.resolve({ rx: 5, wx: null }),
      disksIO: () => Promise.resolve(null),
    };
    const mac = { ...laptop, platform: 'darwin', si } as unknown as typeof laptop;
    expect(await read(disk, mac)).toEqual(['system.disk.io{system.device="all",disk.io.direction="read"} 5']);
  });
});
