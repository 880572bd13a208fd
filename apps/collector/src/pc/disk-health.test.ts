import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { GroupReader, linuxWith, read, values } from '../../test/pc.js';
import { diskHealth } from './disk-health.js';
import type { Machine } from './machine.js';

const recorded = (name: string): string =>
  readFileSync(new URL(`./testcases/smartctl/${name}.json`, import.meta.url), 'utf8');

/** smartctl with these answers by device; of others it says that it cannot tell their type. */
function smartctl(answers: Readonly<Record<string, string>>): Machine['run'] {
  return (program, args) => {
    const device = args.at(-1) ?? '';
    if (program !== 'smartctl') return Promise.reject(new Error(`there is no ${program}`));
    const output = answers[device] ?? recorded('unknown-type');
    const { smartctl: of } = JSON.parse(output) as { smartctl: { exit_status: number } };
    // The exit code has bits for what the disk tells, too.
    return of.exit_status === 0
      ? Promise.resolve(output)
      : Promise.reject(Object.assign(new Error(`exit code ${of.exit_status}`), { stdout: output }));
  };
}
const DISKS = {
  'sys/block/sda/device/wwid': 'naa.5000c500a1b2c3d4\n',
  'sys/block/sda/device/state': 'running\n',
  'sys/block/nvme0n1/wwid': 'eui.0025385b01234567\n',
  'sys/block/nvme0n1/device/state': 'live\n',
  'sys/block/dm-0/slaves/sda1/size': '1',
  'sys/block/loop0/size': '1',
};
const health = (machine: Machine): GroupReader => new GroupReader(diskHealth, machine);
const states = async (machine: Machine): Promise<unknown[][]> =>
  values(await health(machine).readings(), 'hw.status', 'hw.id', 'hw.type', 'hw.state')
    .filter((one) => one.at(-1) === 1)
    .map((one) => one.slice(0, 3));

describe('disk health', () => {
  it('is what smartctl tells of an ATA disk: here one with sectors that it cannot read', async () => {
    const machine = linuxWith(DISKS, { run: smartctl({ '/dev/sda': recorded('ata-pending') }) });
    const readings = (await health(machine).readings()).filter(
      ({ labels }) => labels?.['hw.id'] === 'naa.5000c500a1b2c3d4',
    );
    expect(values(readings, 'hw.status', 'hw.name', 'hw.state')).toEqual([
      ['ST4000VN008-2DR166', 'ok', 0],
      ['ST4000VN008-2DR166', 'degraded', 1],
      ['ST4000VN008-2DR166', 'predicted_failure', 0],
      ['ST4000VN008-2DR166', 'failed', 0],
    ]);
    expect(values(readings, 'hw.physical_disk.smart', 'hw.physical_disk.smart_attribute')).toEqual([
      ['Reallocated_Sector_Ct', 16],
      ['Spin_Retry_Count', 0],
      ['Reported_Uncorrect', 2],
      ['Current_Pending_Sector', 8],
      ['Offline_Uncorrectable', 8],
      ['UDMA_CRC_Error_Count', 0],
    ]);
    expect(values(readings, 'hw.temperature')).toEqual([[34]]);
  });

  it('is what smartctl tells of an NVMe disk: here one that is worn out', async () => {
    const machine = linuxWith(DISKS, { run: smartctl({ '/dev/nvme0n1': recorded('nvme-worn') }) });
    const readings = (await health(machine).readings()).filter(
      ({ labels }) => labels?.['hw.id'] === 'eui.0025385b01234567',
    );
    expect(values(readings, 'hw.physical_disk.endurance_utilization', 'hw.physical_disk.state')).toEqual([
      ['remaining', 0],
    ]);
    expect(values(readings, 'hw.physical_disk.smart', 'hw.physical_disk.smart_attribute')).toEqual([
      ['Media and Data Integrity Errors', 3],
      ['Available Spare', 0.09],
    ]);
    expect(values(readings, 'hw.status', 'hw.state').filter(([, value]) => value === 1)).toEqual([
      ['predicted_failure', 1],
    ]);
    // Its temperature is among the sensors of the kernel.
    expect(values(readings, 'hw.temperature')).toEqual([]);
  });

  it('is failed where the kernel has given a disk up, whatever smartctl says, and without it', async () => {
    const dead = { ...DISKS, 'sys/block/sda/device/state': 'offline\n', 'sys/block/nvme0n1/device/state': 'dead\n' };
    const expected = [
      ['naa.5000c500a1b2c3d4', 'physical_disk', 'failed'],
      ['eui.0025385b01234567', 'physical_disk', 'failed'],
    ];
    const missing = Object.assign(new Error('spawn smartctl ENOENT'), { code: 'ENOENT' });
    expect(await states(linuxWith(dead, { run: () => Promise.reject(missing) }))).toEqual(expected);
    expect(await states(linuxWith(dead, { run: smartctl({ '/dev/sda': recorded('ata-pending') }) }))).toEqual(expected);
  });

  it('of an eMMC is in /sys', async () => {
    const card = (lifeTime: string, spare: string): Promise<string[]> =>
      read(
        diskHealth,
        linuxWith({
          'sys/block/mmcblk0/device/cid': '150100424a5444345201\n',
          'sys/block/mmcblk0/device/life_time': `${lifeTime}\n`,
          'sys/block/mmcblk0/device/pre_eol_info': `${spare}\n`,
        }),
      );
    const labels = 'hw.id="150100424a5444345201",hw.name="mmcblk0"';
    expect(await card('0x03 0x01', '0x01')).toEqual([
      `hw.status{${labels},hw.type="physical_disk",hw.state="ok"} 1`,
      `hw.status{${labels},hw.type="physical_disk",hw.state="degraded"} 0`,
      `hw.status{${labels},hw.type="physical_disk",hw.state="predicted_failure"} 0`,
      `hw.status{${labels},hw.type="physical_disk",hw.state="failed"} 0`,
      `hw.physical_disk.endurance_utilization{${labels},hw.physical_disk.state="remaining"} 0.7`,
    ]);
    expect(await card('0x00 0x0b', '0x03')).toEqual(
      expect.arrayContaining([
        `hw.status{${labels},hw.type="physical_disk",hw.state="predicted_failure"} 1`,
        `hw.physical_disk.endurance_utilization{${labels},hw.physical_disk.state="remaining"} 0`,
      ]),
    );
    expect(await card('0x00 0x00', '0x00')).toEqual([]);
  });

  it('says once that smartctl may not ask; nothing fails by it', async () => {
    const reader = health(linuxWith(DISKS, { run: smartctl({ '/dev/sda': recorded('not-allowed') }) }));
    await reader.readings();
    expect(await reader.readings()).toHaveLength(8);
    expect(reader.said).toEqual([
      'disk_health: smartctl may not open /dev/sda: Smartctl open device: /dev/sda failed: Permission denied; docs/pc.md says how to let it',
    ]);
    expect(reader.rejected).toEqual([]);
  });

  it('of one disk that smartctl fails at is named; the others are read, and one that sleeps is not woken', async () => {
    const run: Machine['run'] = (program, args, signal) => {
      expect(args).toContain('--nocheck=standby');
      if (args.at(-1) === '/dev/nvme0n1') return Promise.reject(new Error('Command failed: smartctl'));
      return smartctl({ '/dev/sda': recorded('standby') })(program, args, signal);
    };
    const reader = health(linuxWith(DISKS, { run }));
    expect(values(await reader.readings(), 'hw.physical_disk.smart')).toEqual([]);
    expect(reader.rejected).toEqual(['/dev/nvme0n1: Command failed: smartctl']);
  });
});
