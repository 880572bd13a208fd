import { randomUUID } from 'node:crypto';
import type { AccessStore, StoredCollector, StoredInvitation, StoredToken } from '@device-metrics/storage';
import { callerOfToken } from '../caller.js';
import { parseToken, hasHash } from '../token.js';
import { makeToken, type MadeToken } from '../tokens/make-token.js';

/** What a collector says of itself when it joins. */
export interface JoinWish {
  /** What it calls its PC. */
  readonly name: string;
  /** Further devices that it reads. */
  readonly devices: readonly string[];
  readonly version: string;
  readonly platform: string;
  readonly address: string;
  /** The token that it had before, by which it is known again: its own as a collector, or one that it sent with without having joined. */
  readonly previousToken?: string | undefined;
}

export interface Joined {
  readonly collector: StoredCollector;
  readonly token: MadeToken;
}

/** Whether a device belongs to no collector, and there are samples of it: from who never joined, as by a token. */
export async function isOfOthers(
  store: AccessStore,
  deviceName: string,
  sampled: ReadonlySet<string>,
): Promise<boolean> {
  return sampled.has(deviceName) && (await store.collectors.ownerOf(deviceName)) === undefined;
}

/**
 * Takes a collector in that showed a good code. The same collector that joins again stays what it was; one whose name belongs to
 * another, or has samples of somebody who never joined, is in conflict until an admin decides.
 *
 * @param sampled names of all devices of which there are samples.
 */
export async function join(
  store: AccessStore,
  wish: JoinWish,
  invitation: StoredInvitation,
  now: number,
  sampled: ReadonlySet<string>,
): Promise<Joined> {
  const before = await knownAgain(store, wish.previousToken);
  const id = before?.id ?? randomUUID();
  const deviceName = before?.name === wish.name ? before.deviceName : wish.name;
  const isOfSomebody =
    (await isOfOthers(store, deviceName, sampled)) && !(await hasSent(store, wish.previousToken, deviceName, now));
  const owner = isOfSomebody ? undefined : await store.collectors.claim(deviceName, id);
  const { name, version, platform, address } = wish;
  const state = owner === id ? 'active' : 'conflict';
  if (before) {
    await store.tokens.revokeOfCollector(id, now);
    await store.collectors.change(id, { name, deviceName, state, version, platform, address, seenAt: now });
  } else {
    const { tags } = invitation;
    const one = { id, name, deviceName, state, tags, version, platform, address, joinedAt: now, seenAt: now } as const;
    await store.collectors.add(one);
  }
  if (state === 'active') for (const device of wish.devices) await store.collectors.claim(device, id);
  const by = `invitation ${invitation.id}`;
  const token = await makeToken(store, { kind: 'collector', name: deviceName, collectorId: id }, by, now);
  const collector = await store.collectors.find(id);
  if (!collector) throw new Error(`collector ${id} is gone`);
  return { collector, token };
}

/** The collector whose token this is, or was. */
async function knownAgain(store: AccessStore, previousToken: string | undefined): Promise<StoredCollector | undefined> {
  const token = await tokenOf(store, previousToken);
  return token && token.collectorId !== null ? store.collectors.find(token.collectorId) : undefined;
}

/** Whether samples of a device may be from who has this token, which is nobody's as a collector and works now. */
async function hasSent(
  store: AccessStore,
  previousToken: string | undefined,
  deviceName: string,
  now: number,
): Promise<boolean> {
  const token = await tokenOf(store, previousToken);
  if (!token || token.collectorId !== null || token.kind !== 'ingest' || token.tags) return false;
  if (token.revokedAt !== null || (token.expiresAt !== null && token.expiresAt <= now)) return false;
  return callerOfToken(token).mayWrite(deviceName);
}

async function tokenOf(store: AccessStore, text = ''): Promise<StoredToken | undefined> {
  const parts = parseToken(text);
  const token = parts && (await store.tokens.find(parts.id));
  if (!token) return undefined;
  return hasHash(parts.secret, token.hash) || hasHash(parts.secret, token.previousHash) ? token : undefined;
}

/** Lets a collector go: its tokens work no more, and its devices are there for others. */
export async function dismiss(
  store: AccessStore,
  id: string,
  state: 'left' | 'revoked',
  now: number,
): Promise<boolean> {
  const collector = await store.collectors.find(id);
  if (!collector || !isThere(collector)) return false;
  await store.tokens.revokeOfCollector(id, now);
  await store.collectors.change(id, { state });
  return true;
}

/** Whether a collector sends, or waits to. */
export const isThere = ({ state }: StoredCollector): boolean => state === 'active' || state === 'conflict';

/** A new device, under a name of its own. False where that belongs to another collector. */
export async function acceptAsNew(store: AccessStore, id: string, deviceName: string): Promise<boolean> {
  if ((await store.collectors.claim(deviceName, id)) !== id) return false;
  await store.collectors.change(id, { deviceName, state: 'active' });
  return true;
}

/** The same device, moved to another machine: what belonged to the collector there belongs to this one. */
export async function acceptAsMoved(store: AccessStore, collector: StoredCollector, now: number): Promise<void> {
  const owner = await store.collectors.ownerOf(collector.deviceName);
  if (owner !== undefined && owner !== collector.id) {
    await store.tokens.revokeOfCollector(owner, now);
    await store.collectors.moveClaims(owner, collector.id);
    await store.collectors.change(owner, { state: 'moved' });
  } else {
    await store.collectors.claim(collector.deviceName, collector.id);
  }
  await store.collectors.change(collector.id, { state: 'active' });
}
