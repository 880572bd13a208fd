import { quote } from '@device-metrics/contract';
import type { Labels } from '@device-metrics/domain';
import {
  DeviceTakenError,
  NotMergeableError,
  type DeviceDescription,
  type DeviceStore,
  type StoredDevice,
} from '@device-metrics/storage';
import { assertStaysWithin } from '../access/within-limits.js';
import { noDevice } from '../http/no-device.js';
import { invalidInput, Problem } from '../http/problem.js';
import type { DeviceChangeDto } from './device-change.dto.js';
import { MAX_TAGS } from './device-rules.js';

/** Throws where a device is not as the caller has read it. */
type Check = (before: DeviceDescription) => void;

/**
 * Changes what is said of a device, and its name; the device as it is then.
 *
 * @throws Problem where there is no such device, or something against the change; nothing has changed then.
 */
export async function changeDevice(
  store: DeviceStore,
  name: string,
  change: DeviceChangeDto,
  check: Check,
): Promise<StoredDevice> {
  const before = await store.device(name);
  if (!before) throw noDevice(name);
  const newName = change.device_name?.normalize('NFC') ?? name;
  if (change.merge && change.device_name === undefined) {
    throw invalidInput([{ field: 'merge', reason: 'goes with the device_name of the device to merge with' }]);
  }
  if (newName === name) return describe(store, name, change, check);
  if (change.merge && (await store.device(newName))) return merge(store, name, newName, change, check);
  // What it may throw is to come before the name has changed.
  check(before);
  changed(before, change, newName);
  if (!(await rename(store, name, newName))) throw noDevice(name);
  return describe(store, newName, change, check);
}

async function describe(
  store: DeviceStore,
  name: string,
  change: DeviceChangeDto,
  check: Check,
): Promise<StoredDevice> {
  const device = await store.describeDevice(name, (before) => {
    check(before);
    return changed(before, change, name);
  });
  if (!device) throw noDevice(name);
  return device;
}

async function rename(store: DeviceStore, name: string, newName: string): Promise<StoredDevice | undefined> {
  try {
    return await store.renameDevice(name, newName);
  } catch (error) {
    if (!(error instanceof DeviceTakenError)) throw error;
    throw new Problem(
      'device-taken',
      `device_name must be one that no device has, got ${quote(newName)}; with "merge": true the two become one.`,
    );
  }
}

async function merge(
  store: DeviceStore,
  name: string,
  into: string,
  change: DeviceChangeDto,
  check: Check,
): Promise<StoredDevice> {
  try {
    const merged = await store.mergeDevices(name, into, (source, target) => {
      check(source);
      const both = ofBoth(source, target);
      return { ...both, ...changed(both, change, into) };
    });
    if (!merged) throw noDevice(name);
    return merged;
  } catch (error) {
    if (!(error instanceof NotMergeableError)) throw error;
    throw new Problem('not-mergeable', `${error.message}.`);
  }
}

/** What is said of the one that stays counts; the other adds what is not said of it. */
function ofBoth(source: DeviceDescription, target: DeviceDescription): DeviceDescription {
  return {
    displayName: target.displayName ?? source.displayName,
    notes: target.notes ?? source.notes,
    tags: changedTags(source.tags, target.tags),
  };
}

/** @throws Problem where the device is no longer there for the caller after it. */
function changed(
  before: DeviceDescription,
  { display_name: displayName, notes, tags }: DeviceChangeDto,
  name: string,
): Partial<DeviceDescription> {
  assertStaysWithin({ name, tags: tags === undefined ? before.tags : changedTags(before.tags, tags) });
  return {
    ...(displayName !== undefined && { displayName }),
    ...(notes !== undefined && { notes }),
    ...(tags !== undefined && { tags: changedTags(before.tags, tags) }),
  };
}

function changedTags(before: Labels, change: Readonly<Record<string, string | null>>): Labels {
  const after = new Map<string, string | null>(Object.entries(before));
  for (const [name, value] of Object.entries(change)) after.set(name, value);
  const left = [...after].filter((tag): tag is [string, string] => tag[1] !== null);
  if (left.length > MAX_TAGS) {
    throw invalidInput([
      { field: 'tags', reason: `must come to at most ${MAX_TAGS} with those that are there, got ${left.length}` },
    ]);
  }
  return Object.fromEntries(left.sort(([a], [b]) => (a < b ? -1 : 1)));
}
