import { describe, expect, it } from '@jest/globals';
import { GroupReader, laptop, linuxWith, read, values } from '../../test/pc.js';
import type { Machine } from './machine.js';
import { temperature } from './temperature.js';

/** A sensor chip at a monitor's number, on a device. */
const chip = (hwmon: string, name: string, device: string, files: Record<string, string>): Record<string, string> => ({
  [`sys/class/hwmon/${hwmon}/name`]: `${name}\n`,
  [`sys/class/hwmon/${hwmon}/device`]: `-> sys/devices/${device}`,
  [`sys/devices/${device}/uevent`]: '',
  ...Object.fromEntries(Object.entries(files).map(([file, text]) => [`sys/class/hwmon/${hwmon}/${file}`, `${text}\n`])),
});
const ids = async (machine: Machine, keys: object = {}): Promise<unknown[][]> =>
  values(await new GroupReader(temperature, machine, keys).readings(), 'hw.temperature', 'hw.id');

describe('temperatures and fans', () => {
  it('are read from /sys/class/hwmon', async () => {
    expect(await read(temperature, laptop)).toEqual([
      'hw.temperature{hw.id="coretemp/temp1",hw.name="Package id 0",hw.parent="coretemp"} 45.5',
      'hw.temperature.limit{hw.id="coretemp/temp1",hw.name="Package id 0",hw.parent="coretemp",hw.limit_type="high.critical"} 100',
      'hw.temperature{hw.id="coretemp/temp2",hw.name="temp2",hw.parent="coretemp"} -3',
      'hw.fan.speed{hw.id="thinkpad/fan1",hw.name="fan1",hw.parent="thinkpad"} 2850',
    ]);
  });

  it('keep their identity when a start numbers the chips anew', async () => {
    const sockets = (first: string, second: string): Machine =>
      linuxWith({
        ...chip(first, 'coretemp', 'platform/coretemp.0', { temp1_input: '41000', temp1_label: 'Package id 0' }),
        ...chip(second, 'coretemp', 'platform/coretemp.1', { temp1_input: '52000', temp1_label: 'Package id 1' }),
      });
    const expected = [
      ['coretemp.0/temp1', 41],
      ['coretemp.1/temp1', 52],
    ];
    expect((await ids(sockets('hwmon2', 'hwmon3'))).sort()).toEqual(expected);
    expect((await ids(sockets('hwmon10', 'hwmon1'))).sort()).toEqual(expected);
  });

  it.each([
    ['its serial', 'nvme', 'pci0000:00/0000:00:06.0/0000:02:00.0/nvme/nvme1', { serial: 'S4EV 123 ' }, 'nvme/S4EV 123'],
    [
      'its worldwide name',
      'drivetemp',
      'pci0000:00/0000:00:17.0/ata3/host2/target2:0:0/2:0:0:0',
      { wwid: 'naa.5' },
      'drivetemp/naa.5',
    ],
    ['its slot', 'amdgpu', 'pci0000:00/0000:03:00.0', {}, 'amdgpu/0000:03:00.0'],
    [
      'its slot, not the number of the radio',
      'iwlwifi_1',
      'pci0000:00/0000:04:00.0/ieee80211/phy7',
      {},
      'iwlwifi_1/0000:04:00.0',
    ],
    [
      'its address, not the number of the bus',
      'jc42',
      'pci0000:00/0000:00:1f.4/i2c-7/7-0018',
      {},
      'jc42/0000:00:1f.4/0018',
    ],
    [
      'its plug',
      'corsairpsu',
      'pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0/0003:1B1C:1C08.000A',
      {},
      'corsairpsu/1-2:1.0',
    ],
    ['its name where nothing else is known', 'acpitz', 'virtual/thermal/thermal_zone3', {}, 'acpitz'],
  ])('know a chip by %s', async (_what, name, device, files, id) => {
    const own = Object.entries<string>(files).map(([file, text]): [string, string] => [
      `sys/devices/${device}/${file}`,
      text,
    ]);
    const machine = linuxWith({
      ...chip('hwmon4', name, device, { temp1_input: '30000' }),
      ...Object.fromEntries(own),
    });
    expect(await ids(machine)).toEqual([[`${id}/temp1`, 30]]);
  });

  it('of one name at one chip, and chips that nothing tells apart, are series of their own', async () => {
    const ambient = Object.fromEntries(
      [1, 2, 3].flatMap((n) => [
        [`temp${n}_input`, `${20 + n}000`],
        [`temp${n}_label`, 'Ambient'],
      ]),
    );
    const machine = linuxWith({
      ...chip('hwmon0', 'dell_smm', 'platform/dell_smm_hwmon', ambient),
      'sys/class/hwmon/hwmon1/name': 'acpitz\n',
      'sys/class/hwmon/hwmon1/temp1_input': '27800\n',
      'sys/class/hwmon/hwmon2/name': 'acpitz\n',
      'sys/class/hwmon/hwmon2/temp1_input': '29800\n',
    });
    expect(await ids(machine)).toEqual([
      ['dell_smm_hwmon/temp1', 21],
      ['dell_smm_hwmon/temp2', 22],
      ['dell_smm_hwmon/temp3', 23],
      ['acpitz/temp1', 27.8],
      ['acpitz#2/temp1', 29.8],
    ]);
  });

  it('that cannot be are not sent, nor those of sensors that are not connected', async () => {
    const files = {
      temp1_input: '65261850',
      temp2_input: '-128000',
      temp3_input: '45000',
      temp3_crit: '65261850',
      temp4_input: '50000',
      temp4_fault: '1',
      temp5_input: '',
      fan1_input: '65535',
      fan2_input: '-1',
      fan3_input: '0',
    };
    expect(await read(temperature, linuxWith(chip('hwmon0', 'nct6775', 'platform/nct6775.656', files)))).toEqual([
      'hw.fan.speed{hw.id="nct6775.656/fan3",hw.name="fan3",hw.parent="nct6775"} 0',
      'hw.temperature{hw.id="nct6775.656/temp3",hw.name="temp3",hw.parent="nct6775"} 45',
    ]);
  });

  it('are left out by id, name or chip', async () => {
    const machine = linuxWith({
      ...chip('hwmon0', 'coretemp', 'platform/coretemp.0', {
        temp1_input: '1000',
        temp2_input: '2000',
        temp2_label: 'Core 0',
      }),
      ...chip('hwmon1', 'acpitz', 'virtual/thermal/thermal_zone0', { temp1_input: '3000' }),
    });
    expect(await ids(machine, { exclude: ['Core *', 'acpitz'] })).toEqual([['coretemp.0/temp1', 1]]);
    expect(await ids(machine, { exclude: ['*/temp1'] })).toEqual([['coretemp.0/temp2', 2]]);
  });

  it('come from thermal zones where no chip has a temperature', async () => {
    const zones = {
      'sys/class/thermal/thermal_zone0/type': 'x86_pkg_temp\n',
      'sys/class/thermal/thermal_zone0/temp': '51000\n',
      'sys/class/thermal/thermal_zone1/type': 'acpitz\n',
      'sys/class/thermal/thermal_zone1/temp': '-274000\n',
      'sys/class/thermal/thermal_zone2/type': 'acpitz\n',
      'sys/class/thermal/thermal_zone2/temp': '30000\n',
      'sys/class/thermal/cooling_device0/type': 'Processor\n',
    };
    const fan = chip('hwmon0', 'pwmfan', 'platform/pwm-fan', { fan1_input: '900' });
    expect(await ids(linuxWith({ ...zones, ...fan }))).toEqual([
      ['x86_pkg_temp', 51],
      ['acpitz#2', 30],
    ]);
    expect(
      await ids(linuxWith({ ...zones, ...chip('hwmon0', 'coretemp', 'platform/coretemp.0', { temp1_input: '5000' }) })),
    ).toEqual([['coretemp.0/temp1', 5]]);
  });

  it('of a chip that is plugged in later are found', async () => {
    const files = chip('hwmon0', 'coretemp', 'platform/coretemp.0', { temp1_input: '5000' });
    const later = chip('hwmon5', 'nvme', 'pci0000:00/0000:02:00.0', { temp1_input: '6000' });
    let machine = linuxWith(files);
    const reader = new GroupReader(temperature, {
      ...machine,
      list: (path) => machine.list(path),
      read: (path) => machine.read(path),
      resolve: (path) => machine.resolve(path),
    });
    expect(await reader.readings()).toHaveLength(1);
    machine = linuxWith({ ...files, ...later });
    expect(values(await reader.readings(), 'hw.temperature', 'hw.parent')).toEqual([
      ['coretemp', 5],
      ['nvme', 6],
    ]);
  });

  it('outside Linux are what systeminformation tells, but no zeros', async () => {
    const cpuTemperature = () => Promise.resolve({ main: 0, cores: [40, -1] });
    const mac = { ...laptop, platform: 'darwin', si: { cpuTemperature } } as unknown as Machine;
    expect(await read(temperature, mac)).toEqual(['hw.temperature{hw.id="core 0"} 40']);
  });
});
