import { readIfThere, type Machine } from '../machine.js';

/** Names that the kernel gives out by the order in which it finds things, so that a start may give them anew. */
const NUMBERED =
  /^(hwmon|nvme|host|ata|card|input|event|rport|end_device|expander|port|phy|scsi|usb|thermal_zone|cooling_device|renderD|wlan|eth|link|mmc|ieee80211|power_supply|block|drm|net|i2c|target|thermal|hidraw)[-\d:.]*$|^[0-9A-F]{4}:[0-9A-F]{4}:[0-9A-F]{4}\.[0-9A-F]+$/;
/** A disk at the bus of SCSI, `0:0:0:0`, or a card in its slot, `mmc0:0001`. */
const ADDRESS_ON_BUS = /^(\d+:\d+:\d+:\d+|mmc\d+:.*)$/;

/**
 * What a device is called from one start to the next: its own serial or worldwide name where it has one, else its place in the
 * machine, such as `coretemp.0` or `0000:03:00.0`.
 *
 * @param folder of the device in /sys, or a link to it, such as `sys/class/hwmon/hwmon0/device`; undefined where there is none.
 */
export async function stableIdentity(machine: Machine, folder: string): Promise<string | undefined> {
  const path = await machine.resolve(folder);
  if (!path?.startsWith('sys/devices/')) return undefined;
  for (const file of ['wwid', 'serial']) {
    const text = (await readIfThere(machine, `${path}/${file}`))?.replace(/\s+/g, ' ');
    if (text) return text;
  }
  const parts = path.split('/').filter((part) => !NUMBERED.test(part) && !ADDRESS_ON_BUS.test(part));
  const last = parts.at(-1);
  // A chip at the bus of I²C: its address stays, the number of the bus may not.
  const address = /^\d+-([0-9a-f]{4})$/.exec(last ?? '')?.[1];
  if (address !== undefined) return `${parts.at(-2) ?? 'i2c'}/${address}`;
  return last === undefined || last === 'sys' || last === 'devices' || last === 'virtual' ? undefined : last;
}

/** Each name once: a second one of the same name becomes `name#2`. */
export function uniqueNames(): (name: string) => string {
  const taken = new Map<string, number>();
  return (name) => {
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  };
}
