import { Problem } from '../http/problem.js';
import { currentCaller } from './caller.js';

/**
 * For what concerns all devices.
 *
 * @param what as a subject in the plural, such as `Channels`.
 * @throws Problem for a caller who is limited to some devices.
 */
export function assertWholeSite(what: string): void {
  if (!currentCaller()) return;
  throw new Problem('not-allowed', `${what} are of the whole site, and not for who is limited to some devices.`);
}
