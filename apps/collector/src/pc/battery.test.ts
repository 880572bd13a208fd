import { describe, expect, it } from '@jest/globals';
import { GroupReader, laptop, linuxWith, read, values } from '../../test/pc.js';
import { battery } from './battery.js';
import type { Machine } from './machine.js';

const supply = (files: Readonly<Record<string, string | number>>, id = 'BAT0'): Record<string, string> =>
  Object.fromEntries(
    Object.entries({ type: 'Battery', ...files }).map(([name, text]) => [
      `sys/class/power_supply/${id}/${name}`,
      `${text}\n`,
    ]),
  );
const timeLeft = async (files: Readonly<Record<string, string | number>>): Promise<unknown[][]> =>
  values(
    await new GroupReader(battery, linuxWith(supply(files))).readings(),
    'hw.battery.time_left',
    'hw.battery.state',
  );
/** The state that has the value 1. */
const state = async (machine: Machine): Promise<unknown[]> =>
  values(await new GroupReader(battery, machine).readings(), 'hw.status', 'hw.state').flatMap(([name, value]) =>
    value === 1 ? [name] : [],
  );

describe('a battery', () => {
  it('is read from /sys/class/power_supply', async () => {
    expect(await read(battery, laptop)).toEqual([
      'hw.battery.charge{hw.id="BAT0"} 0.8',
      'hw.battery.time_left{hw.id="BAT0",hw.state="discharging",hw.battery.state="discharging"} 14400',
      'hw.status{hw.id="BAT0",hw.type="battery",hw.state="charging"} 0',
      'hw.status{hw.id="BAT0",hw.type="battery",hw.state="discharging"} 1',
      'hw.status{hw.id="BAT0",hw.type="battery",hw.state="full"} 0',
      'hw.status{hw.id="BAT0",hw.type="battery",hw.state="not_charging"} 0',
    ]);
  });

  it.each([
    ['energy and power', { energy_now: 30e6, power_now: 10e6 }, 3],
    ['charge and current', { charge_now: 3e6, current_now: 1e6 }, 3],
    ['energy and current, joined by the voltage', { energy_now: 30e6, current_now: 1e6, voltage_now: 10e6 }, 3],
    ['charge and power, joined by the voltage', { charge_now: 3e6, power_now: 10e6, voltage_now: 10e6 }, 3],
    ['a rate below 0', { energy_now: 30e6, power_now: -10e6 }, 3],
  ])('tells the hours left by %s', async (_what, files, hours) => {
    expect(await timeLeft({ status: 'Discharging', ...files })).toEqual([['discharging', hours * 3600]]);
  });

  it('tells when it is full, and nothing where that says nothing', async () => {
    const charging = { status: 'Charging', energy_now: 30e6, energy_full: 50e6 };
    expect(await timeLeft({ ...charging, power_now: 10e6 })).toEqual([['charging', 7200]]);
    // More in it than it holds.
    expect(await timeLeft({ ...charging, energy_now: 60e6, power_now: 10e6 })).toEqual([['charging', 0]]);
    expect(await timeLeft({ ...charging, power_now: 0 })).toEqual([]);
    expect(await timeLeft({ ...charging, power_now: 1 })).toEqual([]);
    // Energy and current do not fit without a voltage.
    expect(await timeLeft({ ...charging, current_now: 1e6 })).toEqual([]);
    expect(await timeLeft({ ...charging, status: 'Not charging', power_now: 10e6 })).toEqual([]);
  });

  it('holds no more than its whole, and no less than nothing', async () => {
    const charge = async (capacity: number): Promise<unknown[][]> =>
      values(await new GroupReader(battery, linuxWith(supply({ capacity }))).readings(), 'hw.battery.charge');
    expect([await charge(104), await charge(100), await charge(0), await charge(-2)]).toEqual([
      [[1]],
      [[1]],
      [[0]],
      [[0]],
    ]);
    // No percentage, as on some tablets; and one that is an error.
    expect(
      values(
        await new GroupReader(battery, linuxWith(supply({ charge_now: 1, charge_full: 4 }))).readings(),
        'hw.battery.charge',
      ),
    ).toEqual([[0.25]]);
    expect(await charge(65_535)).toEqual([]);
  });

  it('that does not charge is not full', async () => {
    expect(await state(linuxWith(supply({ status: 'Not charging' })))).toEqual(['not_charging']);
    expect(await state(linuxWith(supply({ status: 'Full' })))).toEqual(['full']);
    expect(await state(linuxWith(supply({ status: 'Unknown' })))).toEqual([]);
    const si = {
      battery: () =>
        Promise.resolve({ hasBattery: true, percent: 79, isCharging: false, acConnected: true, timeRemaining: null }),
    };
    expect(await state({ ...laptop, platform: 'darwin', si } as unknown as Machine)).toEqual(['not_charging']);
  });

  it('of a mouse, and one that is not in its bay, are none of this PC', async () => {
    const mouse = supply({ scope: 'Device', capacity: 50, status: 'Discharging' }, 'hidpp_battery_0');
    const bay = supply({ present: 0, capacity: 0 }, 'BAT1');
    expect(await read(battery, linuxWith({ ...mouse, ...bay }))).toEqual([]);
    expect(await read(battery, linuxWith({ ...mouse, ...supply({ scope: 'System', capacity: 60 }) }))).toHaveLength(1);
  });
});
