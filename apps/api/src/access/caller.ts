import { AsyncLocalStorage } from 'node:async_hooks';
import { like, matchesAny, quote, selectsDevice, type Labels, type Pattern } from '@device-metrics/domain';
import type { Role, StoredCollector, StoredToken, StoredUser } from '@device-metrics/storage';
import { withinLimits, RIGHTS_OF_ROLE, RIGHTS_OF_TOKEN, type Right } from './rights.js';

/** How somebody has shown who they are; `local`: by being on this machine while there are no users. */
export type CallerKind = 'local' | 'user' | 'token' | 'share' | 'collector' | 'nobody';

interface Limits {
  readonly devices?: readonly Pattern[] | null;
  /** Tags that a device has to have. */
  readonly tags?: Labels | null;
}

/** Who asks, and what they may do. */
export class Caller {
  readonly rights: ReadonlySet<Right>;
  /** Whether only some of the devices are there for them. */
  readonly isLimited: boolean;
  /** Equal for callers who see the same. */
  readonly scope: string;
  /** Whether this device is there for them. */
  readonly mayRead: (device: { readonly name: string; readonly tags: Labels }) => boolean;
  /** Whether they may send samples of the device of this name, where it has their tags. */
  readonly mayWrite: (deviceName: string) => boolean;

  constructor(
    readonly kind: CallerKind,
    /** As the audit has it. */
    readonly name: string,
    rights: readonly Right[],
    readonly limits: Limits = {},
    readonly of: {
      readonly user?: StoredUser;
      readonly token?: StoredToken;
      readonly collector?: StoredCollector;
      readonly sessionId?: string;
    } = {},
  ) {
    const devices = limits.devices ?? undefined;
    const tags = Object.entries(limits.tags ?? {});
    this.isLimited = devices !== undefined || tags.length > 0;
    this.rights = new Set(this.isLimited ? withinLimits(rights) : rights);
    this.scope = this.isLimited ? JSON.stringify([limits.devices, limits.tags]) : '';
    this.mayRead = selectsDevice({ devices, tags });
    this.mayWrite = matchesAny(devices);
  }

  /**
   * The device that they mean by a name, or why they may not send samples of it.
   *
   * @param tagged names of the devices that have their tags, where they are limited to some.
   */
  deviceOf(name: string, tagged?: ReadonlySet<string>): string | { readonly refused: string } {
    const { collector } = this.of;
    const device = name === collector?.name ? collector.deviceName : name;
    if (this.mayWrite(device) && (tagged?.has(device) ?? true)) return device;
    return {
      refused: `must be a device that ${this.name} may send samples of, got ${quote(name)}`,
    };
  }

  get role(): Role | undefined {
    return this.of.user?.role;
  }
}

export const NOBODY = new Caller('nobody', 'nobody', []);
/** Who works on this machine, until the first user exists. */
export const LOCAL = new Caller('local', 'local', RIGHTS_OF_ROLE.admin);

export const callerOfUser = (user: StoredUser, sessionId: string): Caller =>
  new Caller('user', `user ${user.name}`, RIGHTS_OF_ROLE[user.role], { tags: user.tags }, { user, sessionId });

export const callerOfToken = (token: StoredToken, sessionId?: string): Caller =>
  new Caller(
    token.kind === 'share' ? 'share' : 'token',
    `token ${token.name} (${token.id})`,
    RIGHTS_OF_TOKEN[token.kind],
    { devices: token.devices?.map(like) ?? null, tags: token.tags },
    { token, ...(sessionId !== undefined && { sessionId }) },
  );

/** @param claims names of the devices that belong to the collector. */
export const callerOfCollector = (collector: StoredCollector, token: StoredToken, claims: readonly string[]): Caller =>
  new Caller(
    'collector',
    `collector ${collector.deviceName} (${collector.id})`,
    RIGHTS_OF_TOKEN.collector,
    { devices: claims },
    { token, collector },
  );

const current = new AsyncLocalStorage<Caller>();

/** Who is limited to some devices and asks just now; undefined for everybody else, and for work of the server's own. */
export function currentCaller(): Caller | undefined {
  const caller = current.getStore();
  return caller?.isLimited ? caller : undefined;
}

/** Who asks just now, where that is kept; see `runAs`. */
export const askingCaller = (): Caller | undefined => current.getStore();

/** What the server itself has to know, whoever asks. */
export const unlimited = <T>(work: () => T): T => current.exit(work);

/**
 * Runs what answers a request as its caller: one who is limited, and with `always` everybody. Knowing the caller everywhere costs
 * every promise of the process something.
 */
export function runAs(caller: Caller, work: () => void, always = false): void {
  if (caller.isLimited || always) current.run(caller, work);
  else work();
}
