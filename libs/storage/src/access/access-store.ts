import type { Labels } from '@device-metrics/domain';

/** What a token is for; see `docs/security.md`. */
export type TokenKind = 'ingest' | 'read' | 'admin' | 'collector' | 'share';

/** Who makes the token of the collector that `npm start` runs: nobody has decided to let others in by it. */
export const MADE_BY_START = 'npm start';

/** A credential of a program. Times are Unix milliseconds throughout. */
export interface StoredToken {
  readonly id: string;
  readonly kind: TokenKind;
  /** What people call it. */
  readonly name: string;
  /** SHA-256 of its secret, hexadecimal. */
  readonly hash: string;
  /** What `hash` was before it was rotated, and until when that still works. */
  readonly previousHash: string | null;
  readonly previousUntil: number | null;
  /** Names of the devices that it is for, in which `*` stands for any characters; null: all. */
  readonly devices: readonly string[] | null;
  /** Tags that a device has to have to be seen; null: none. */
  readonly tags: Labels | null;
  /** The page that a share shows. */
  readonly page: string | null;
  /** The collector whose credential it is. */
  readonly collectorId: string | null;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly rotatedAt: number | null;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  /** To the minute. */
  readonly lastUsedAt: number | null;
}

export interface TokenStore {
  add(token: StoredToken): Promise<void>;
  find(id: string): Promise<StoredToken | undefined>;
  /** By the time when they were made. */
  all(): Promise<StoredToken[]>;
  /** Whether there is one that works, other than those of collectors and shares, and that of `npm start`. */
  anyUsable(now: number): Promise<boolean>;
  /**
   * Gives it another secret; the one before works until `previousUntil`. False where there is none to rotate.
   *
   * @param rotatedBefore when it has to have been rotated last; null: never; left out: whenever.
   */
  rotate(id: string, hash: string, now: number, previousUntil: number, rotatedBefore?: number | null): Promise<boolean>;
  /** False where there is none, or it has been revoked before. */
  revoke(id: string, now: number): Promise<boolean>;
  /** Revokes every token of a collector. */
  revokeOfCollector(collectorId: string, now: number): Promise<void>;
  /** Revokes every share that somebody has made, such as "user anna". */
  revokeSharesBy(by: string, now: number): Promise<void>;
  /** Remembers that it was used. */
  used(id: string, now: number): Promise<void>;
}

export type Role = 'viewer' | 'editor' | 'admin';

export interface StoredUser {
  readonly id: string;
  /** Unique, whatever the case of its letters. */
  readonly name: string;
  readonly role: Role;
  /** Tags that a device has to have to be seen; null: none. */
  readonly tags: Labels | null;
  /** Null: signs in by OpenID Connect only. */
  readonly passwordHash: string | null;
  /** Secret of one-time passwords, encrypted; null: none. */
  readonly totp: string | null;
  /** Time step of the last one-time password that was taken: each works once. */
  readonly totpStep: number;
  /** Issuer and subject at the OpenID provider. */
  readonly subject: string | null;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly lastSignInAt: number | null;
}

export type UserChange = Partial<
  Pick<StoredUser, 'role' | 'tags' | 'passwordHash' | 'totp' | 'subject' | 'lastSignInAt'>
>;

export interface UserStore {
  /** False where the name, or the subject, is taken. */
  add(user: StoredUser): Promise<boolean>;
  /** Adds the very first user; false where there is one already. */
  addFirst(user: StoredUser): Promise<boolean>;
  find(id: string): Promise<StoredUser | undefined>;
  findByName(name: string): Promise<StoredUser | undefined>;
  findBySubject(subject: string): Promise<StoredUser | undefined>;
  /** By name. */
  all(): Promise<StoredUser[]>;
  any(): Promise<boolean>;
  /** @param as the role and the tags that the user has to have still; false where they are others. */
  change(id: string, change: UserChange, as?: Pick<StoredUser, 'role' | 'tags'>): Promise<boolean>;
  /** Makes of an admin what `change` says, or deletes it without one, unless it is the last; false where it is. */
  changeUnlessLastAdmin(id: string, change?: UserChange, as?: Pick<StoredUser, 'role' | 'tags'>): Promise<boolean>;
  /** Takes the one-time password of a time step; false where it, or a later one, has been taken. */
  takeTotpStep(id: string, step: number): Promise<boolean>;
}

/** A browser that has signed in. */
export interface StoredSession {
  /** SHA-256 of what its cookie has, hexadecimal. */
  readonly id: string;
  readonly userId: string | null;
  /** The token that it was made with, in place of a user. */
  readonly tokenId: string | null;
  readonly createdAt: number;
  readonly seenAt: number;
  readonly expiresAt: number;
  readonly address: string;
}

export interface SessionStore {
  add(session: StoredSession): Promise<void>;
  find(id: string): Promise<StoredSession | undefined>;
  seen(id: string, now: number): Promise<void>;
  delete(id: string): Promise<void>;
  /** Deletes all of a user, but for one. */
  deleteOfUser(userId: string, except?: string): Promise<void>;
  /** Those of a token that there are now end at `until`, Unix ms, if not before. */
  endOfToken(tokenId: string, until: number): Promise<void>;
  deleteExpired(now: number): Promise<void>;
}

/** Lets collectors join, by a code. */
export interface StoredInvitation {
  readonly id: string;
  /** SHA-256 of the code, hexadecimal. */
  readonly codeHash: string;
  readonly uses: number;
  readonly maxUses: number;
  /** Given to the devices that join. */
  readonly tags: Labels;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly expiresAt: number;
  readonly revokedAt: number | null;
}

export interface InvitationStore {
  add(invitation: StoredInvitation): Promise<void>;
  /** Uses it once; undefined where the code is wrong, late, revoked, or used as often as it may be. */
  take(codeHash: string, now: number): Promise<StoredInvitation | undefined>;
  all(): Promise<StoredInvitation[]>;
  anyUsable(now: number): Promise<boolean>;
  revoke(id: string, now: number): Promise<boolean>;
}

/** `conflict`: its name belongs to another; an admin decides. */
export type CollectorState = 'active' | 'conflict' | 'left' | 'revoked' | 'moved';

/** A collector that has joined. */
export interface StoredCollector {
  /** Made at its join. */
  readonly id: string;
  /** What it calls its PC. */
  readonly name: string;
  /** What its PC is called here. */
  readonly deviceName: string;
  readonly state: CollectorState;
  /** Given to its device with its first sample. */
  readonly tags: Labels;
  readonly version: string;
  readonly platform: string;
  readonly address: string;
  readonly joinedAt: number;
  readonly seenAt: number;
}

export type CollectorChange = Partial<
  Pick<StoredCollector, 'name' | 'deviceName' | 'state' | 'tags' | 'version' | 'platform' | 'address' | 'seenAt'>
>;

/** How a collector that updates itself fares with that. Times: Unix milliseconds; 0: never. */
export interface StoredUpdate {
  readonly collectorId: string;
  /** When it last asked for a newer version, which only those do that may take one. */
  readonly askedAt: number;
  /** The version that it was last offered; empty: none. */
  readonly offered: string;
  readonly offeredAt: number;
  /** The version of the last result; empty: none. */
  readonly tried: string;
  /** `failed`: it was started, and the one before goes on; `refused`: it was not even started. */
  readonly result: 'updated' | 'failed' | 'refused' | '';
  readonly reason: string;
  readonly triedAt: number;
}

export interface CollectorStore {
  add(collector: StoredCollector): Promise<void>;
  find(id: string): Promise<StoredCollector | undefined>;
  all(): Promise<StoredCollector[]>;
  change(id: string, change: CollectorChange): Promise<boolean>;
  /** Makes a device belong to a collector, unless it belongs to one that has neither left nor been revoked; says to which it belongs then. */
  claim(deviceName: string, collectorId: string): Promise<string>;
  /** The collector that a device belongs to, or did until that was gone. */
  ownerOf(deviceName: string): Promise<string | undefined>;
  /** Names of the devices that belong to a collector. */
  claimsOf(collectorId: string): Promise<string[]>;
  /** Moves all that belongs to one collector to another. */
  moveClaims(from: string, to: string): Promise<void>;
  /** Those of all that have ever asked. */
  updates(): Promise<StoredUpdate[]>;
  putUpdate(update: StoredUpdate): Promise<void>;
  /** Does work while no other process that shares the database does such work. Within a process the caller sees to that. */
  alone<T>(work: () => Promise<T>): Promise<T>;
}

/** Something that was done, or tried. Holds no secrets. */
export interface AuditEntry {
  readonly at: number;
  /** Who: `local`, `user anna`, `token telegraf (k3…)`, `nobody`. */
  readonly actor: string;
  /** From where: an IP address, or `command line`. */
  readonly address: string;
  /** What was done, such as `token.create` or `session.sign-in`. */
  readonly action: string;
  /** To what, as the name of a device. */
  readonly target: string;
  readonly success: boolean;
  readonly details: Readonly<Record<string, string>>;
}

export interface StoredAuditEntry extends AuditEntry {
  readonly id: number;
}

/** Grows only: the database refuses to change or delete an entry. */
export interface AuditStore {
  add(entry: AuditEntry): Promise<void>;
  /** At most `limit` entries with an id below `before`, the newest first. */
  read(before: number, limit: number): Promise<StoredAuditEntry[]>;
  /** The newest entry of an action; undefined where there is none. */
  last(action: string): Promise<StoredAuditEntry | undefined>;
}

/** Who may do what, beside the sample store and in the same database. */
export interface AccessStore {
  readonly tokens: TokenStore;
  readonly users: UserStore;
  readonly sessions: SessionStore;
  readonly invitations: InvitationStore;
  readonly collectors: CollectorStore;
  readonly audit: AuditStore;
}
