import { isIPv6 } from 'node:net';
import type { DeviceLabel } from '../settings.js';

const PORT = /^(.+):\d{1,5}$/;
const BRACKETS = /^\[([^\]]+)\]$/;

/**
 * The device of what is known of a series: the first of the labels that is there names it. Left out of the labels is what the
 * device says as well: two exporters of one host, which differ in their ports, stay apart by their label.
 *
 * @param other the device of a series that has none of these labels.
 */
export function deviceOf(labels: Map<string, string>, by: readonly DeviceLabel[], other: string): string {
  for (const { name, withoutPort } of by) {
    const value = labels.get(name);
    if (value === undefined || value === '') continue;
    const device = withoutPort ? hostOf(value) : value;
    if (device === value) labels.delete(name);
    return device;
  }
  return other;
}

function hostOf(address: string): string {
  // Its last part looks like a port.
  if (isIPv6(address)) return address;
  const host = PORT.exec(address)?.[1] ?? address;
  return BRACKETS.exec(host)?.[1] ?? host;
}
