import { quote } from '@device-metrics/contract';
import type { Labels } from '@device-metrics/domain';
import { Problem } from '../http/problem.js';
import { currentCaller } from './caller.js';

/**
 * For a device as it would be after a change.
 *
 * @throws Problem for a caller who is limited to some devices, of which it would be none.
 */
export function assertStaysWithin(device: { readonly name: string; readonly tags: Labels }): void {
  const caller = currentCaller();
  if (!caller || caller.mayRead(device)) return;
  const tags = Object.entries(caller.limits.tags ?? {}).map(([name, value]) => `${name}=${value}`);
  throw new Problem(
    'not-allowed',
    `${caller.name} sees some of the devices only${tags.length > 0 ? `, those tagged ${tags.join(', ')}` : ''}: after this, ` +
      `${quote(device.name)} would be none of them. Somebody who sees all devices can do it.`,
  );
}
