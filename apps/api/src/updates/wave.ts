import { HOUR, isNewer } from '@device-metrics/domain';
import type { StoredCollector, StoredUpdate } from '@device-metrics/storage';

/** A collector that has not asked for this long takes no part, ms. */
const ASKS_WITHIN = 24 * HOUR;
/** After this time a collector that was let go ahead is no longer waited for, as its PC may be off, ms. */
const WAITS_FOR = HOUR;
/** After this time what kept a PC from starting the new version, as a full disk, may be over, ms. */
const REFUSED_FOR = HOUR;

/** A collector that updates itself, and the newest version that the api has for its platform. */
export interface Member {
  readonly collector: StoredCollector;
  readonly update: StoredUpdate;
  readonly newest: string;
}

/** Where a member stands on its way to the newest version. */
export type Standing = 'updated' | 'under way' | 'failed' | 'refused' | 'waiting';

/** How far a version has got: 1 collector first, then a tenth of all, then all. */
export interface Wave {
  readonly version: string;
  readonly size: number;
  /** How many may have it, or be on their way to it, at this step. */
  readonly limit: number;
  readonly updated: number;
  readonly underWay: number;
  /** The first that went back to the version before: from then on nobody is let go ahead. */
  readonly failed: Member | undefined;
}

export function standingOf({ collector, update, newest }: Member, now: number): Standing {
  const { offered, offeredAt, tried, result, triedAt } = update;
  const isTried = tried === newest && result !== '';
  const isAwaited = offered === newest && offeredAt > now - WAITS_FOR && !(isTried && triedAt >= offeredAt);
  if (isAwaited) return 'under way';
  // Whoever was let go ahead says itself that it has sent; others were brought to the version by a person.
  if (!isNewer(newest, collector.version)) return 'updated';
  if (isTried && result === 'failed') return 'failed';
  if (isTried && result === 'refused' && triedAt > now - REFUSED_FOR) return 'refused';
  return 'waiting';
}

/** @param all every member, whatever version is the newest for it. */
export function waveOf(version: string, all: readonly Member[], now: number): Wave {
  const members = all.filter(({ newest, update }) => newest === version && update.askedAt > now - ASKS_WITHIN);
  const standings = members.map((member) => standingOf(member, now));
  const count = (wanted: Standing): number => standings.filter((one) => one === wanted).length;
  const updated = count('updated');
  const steps = [1, Math.ceil(members.length / 10), members.length];
  const limit = steps.find((step) => updated < step) ?? members.length;
  const failed = members[standings.indexOf('failed')];
  return { version, size: members.length, limit, updated, underWay: count('under way'), failed };
}

/** Why a member may not take the newest version now; undefined where it may. */
export function whyNot(member: Member, all: readonly Member[], now: number): string | undefined {
  const { newest, update } = member;
  const standing = standingOf(member, now);
  // It asks again: what it was answered did not arrive, or its PC has started again.
  if (standing === 'under way') return undefined;
  if (standing === 'updated') return 'This is the newest version.';
  if (standing === 'failed') return `It went back from ${newest}: ${update.reason}`;
  if (standing === 'refused') return `It could not take ${newest}, and may try again in an hour: ${update.reason}`;
  const { failed, updated, underWay, limit, size } = waveOf(newest, all, now);
  if (failed) return `${newest} is held back: ${failed.collector.deviceName} went back from it.`;
  if (updated + underWay < limit) return undefined;
  return `Others take ${newest} first: ${updated} of ${size} have it, ${underWay} are on their way.`;
}
