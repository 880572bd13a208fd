import type { DeviceSelector } from '@device-metrics/domain';
import type { Store, StoredDevice } from '@device-metrics/storage';
import { noDevice } from '../http/no-device.js';
import { Problem } from '../http/problem.js';
import { currentCaller, type Caller } from './caller.js';

/** What works on series or devices that were found before, or on no device at all. */
const UNLIMITED: ReadonlySet<string> = new Set([
  'append',
  'oldestTimestamp',
  'unitOf',
  'hasUnits',
  'seriesOf',
  'readSamples',
  'readSteps',
  'recentReadings',
  'summarize',
  'summarizeInParts',
  'latest',
  'health',
  'now',
  'trustedNow',
  'holds',
  'ping',
]);

type Method = (...args: unknown[]) => unknown;

/**
 * The store as the current caller sees it. For somebody who is limited to some devices there are no others, whichever
 * report asks; what this does not know of is closed to them.
 */
export function limitToCaller(store: Store): Store {
  // Each is bound once: requests ask for several.
  const bound = new Map<unknown, Method>();
  return new Proxy(store, {
    get(target, key) {
      const method: unknown = Reflect.get(target, key, target);
      if (typeof method !== 'function' || typeof key !== 'string') return method;
      const caller = UNLIMITED.has(key) ? undefined : currentCaller();
      if (caller) return limited(target, caller, key);
      let open = bound.get(method);
      if (!open) bound.set(method, (open = (method as Method).bind<Method>(target)));
      return open;
    },
  });
}

function limited(store: Store, caller: Caller, name: string): Method {
  const visible: Store['device'] = async (deviceName) => {
    const device = await store.device(deviceName);
    return device && caller.mayRead(device) ? device : undefined;
  };
  switch (name) {
    case 'device':
      return visible as Method;
    case 'devices':
      return ((selector) => devicesOf(store, caller, selector)) as Store['devices'] as Method;
    case 'findSeries':
      return (async (selector) => {
        const seen = new Set((await devicesOf(store, caller)).map((device) => device.name));
        return (await store.findSeries(selector)).filter(({ deviceName }) => seen.has(deviceName));
      }) as Store['findSeries'] as Method;
    default:
      return async (deviceName, ...more) => {
        if (typeof deviceName !== 'string') {
          throw new Problem('not-allowed', `${caller.name} sees some of the devices only, and this is about all.`);
        }
        if (!(await visible(deviceName))) throw noDevice(deviceName);
        return (Reflect.get(store, name) as Method).call(store, deviceName, ...more);
      };
  }
}

/** The selected devices that are there for a caller; of a fleet, those that have other tags are not even put together. */
async function devicesOf(store: Store, caller: Caller, selector: DeviceSelector = {}): Promise<StoredDevice[]> {
  const own = Object.entries(caller.limits.tags ?? {});
  const tags = own.length > 0 ? [...(selector.tags ?? []), ...own] : selector.tags;
  return (await store.devices({ ...selector, tags })).filter(caller.mayRead);
}
