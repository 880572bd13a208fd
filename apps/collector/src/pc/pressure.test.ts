import { expect, it } from '@jest/globals';
import { linuxWith, read } from '../../test/pc.js';
import { pressure } from './pressure.js';

it('pressure is read from /proc/pressure, where the kernel has it', async () => {
  const lines = (some: number, full: number): string =>
    `some avg10=1.50 avg60=0.40 avg300=0.10 total=${some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${full}\n`;
  const machine = linuxWith({
    'proc/pressure/cpu': lines(705_355_560, 0),
    'proc/pressure/io': lines(2_000_000, 500_000),
    'proc/pressure/irq': 'full avg10=0.00 avg60=0.00 avg300=0.00 total=1000\n',
  });
  const time = (resource: string, type: string, seconds: number): string =>
    `system.linux.pressure.time{system.linux.pressure.resource="${resource}",system.linux.pressure.type="${type}"} ${seconds}`;
  expect(await read(pressure, machine)).toEqual([
    time('cpu', 'some', 705.35556),
    time('io', 'some', 2),
    time('io', 'full', 0.5),
    time('irq', 'full', 0.001),
  ]);
  expect(await read(pressure, linuxWith({}))).toEqual([]);
});
