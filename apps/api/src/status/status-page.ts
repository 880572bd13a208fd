import { randomBytes } from 'node:crypto';
import { DAY, hasAll, like, toRfc3339 } from '@device-metrics/domain';
import type { AlertStore, Store, StoredDevice } from '@device-metrics/storage';
import { hashPassword, isPassword } from '../access/sessions/password.js';
import type { DeviceRhythms } from '../devices/device-rhythms.js';
import { deadlines, statusAt } from '../devices/rhythm.js';
import { isSameSignature, signatureOf } from '../http/signature.js';
import { DAYS, daysOf, lastDays, percentOf, type DeviceDays } from './days.js';
import {
  HIDDEN,
  type IncidentChangeDto,
  type IncidentDto,
  type PublicStatusDto,
  type StatusLineDto,
  type StatusPageDto,
} from './status.dto.js';

/** How old the answer may be that everybody gets, ms: how often they ask costs nothing. */
const FRESH = 15_000;
/** The days change little: they are counted so rarely, ms. */
const DAYS_FRESH = 10 * 60_000;
/** How long a pass holds, ms. */
const PASS_AGE = DAY;
const PAGE = 'page';

/** What is stored of the page. */
interface StoredPage extends Omit<StatusPageDto, 'password'> {
  readonly passwordHash: string | null;
}

type StoredIncident = Omit<IncidentDto, 'id'>;

export const NO_PAGE: StatusPageDto = { enabled: false, title: 'Status', text: '', tags: [], names: 'display_name' };

/** The status page: what is shown of which devices, the incidents that people write, and who may read it. */
export class StatusPage {
  private answer: { readonly at: number; readonly of: Promise<PublicStatusDto> } | undefined;
  private readonly days = new Map<string, { readonly at: number; readonly first: number; readonly days: DeviceDays }>();

  constructor(
    private readonly store: Store,
    private readonly documents: AlertStore,
    private readonly rhythms: DeviceRhythms,
    private readonly timeZone: string,
    /** Signs passes. */
    private readonly key: Buffer,
    private readonly now: () => number = Date.now,
  ) {}

  /** As it was set up; a password is only hinted at. */
  async settings(): Promise<StatusPageDto> {
    const stored = await this.stored();
    if (!stored) return NO_PAGE;
    const { passwordHash, ...page } = stored;
    return { ...page, ...(passwordHash !== null && { password: HIDDEN }) };
  }

  async set({ password, ...page }: StatusPageDto): Promise<StatusPageDto> {
    const before = await this.stored();
    const isKept = password === undefined || password === HIDDEN;
    const passwordHash = isKept
      ? (before?.passwordHash ?? null)
      : password === ''
        ? null
        : await hashPassword(password);
    const body: StoredPage = { ...page, passwordHash };
    await this.documents.put([{ kind: 'status-page', name: PAGE, body, changedAt: this.now() }]);
    this.answer = undefined;
    return this.settings();
  }

  /** What somebody with this pass may read: the page, that it needs a password, or nothing, as there is no page. */
  async read(pass: string | undefined): Promise<PublicStatusDto | 'locked' | undefined> {
    const stored = await this.stored();
    if (!stored?.enabled) return undefined;
    if (stored.passwordHash !== null && !this.isPass(pass, stored.passwordHash)) return 'locked';
    const at = this.now();
    if (!this.answer || at - this.answer.at >= FRESH || at < this.answer.at) {
      const of = this.made(stored, at);
      this.answer = { at, of };
      of.catch(() => (this.answer = undefined));
    }
    return this.answer.of;
  }

  /** A pass for the right password; undefined for a wrong one. */
  async passFor(password: string): Promise<string | undefined> {
    const stored = await this.stored();
    const hash = stored?.enabled ? stored.passwordHash : null;
    if (!(await isPassword(password, hash)) || hash === null) return undefined;
    const until = String(this.now() + PASS_AGE);
    return `${until}.${this.signature(until, hash)}`;
  }

  async incidents(): Promise<IncidentDto[]> {
    const found = await this.documents.documents('incident');
    return found
      .map(({ name, body }) => ({ id: name, ...(body as StoredIncident) }))
      .sort((a, b) => (a.began < b.began ? 1 : -1));
  }

  /** Writes an incident anew, or what is new of one. Undefined where there is none of this id. */
  async put(change: IncidentChangeDto, id?: string): Promise<IncidentDto | undefined> {
    const now = toRfc3339(this.now());
    const before = id === undefined ? undefined : (await this.incidents()).find((one) => one.id === id);
    if (id !== undefined && !before) return undefined;
    const { title, state, text, began } = change;
    const isNews = text !== undefined || state !== before?.state;
    const body: StoredIncident = {
      title,
      state,
      began: began === undefined ? (before?.began ?? now) : toRfc3339(Date.parse(began)),
      ended: state === 'resolved' ? (before?.ended ?? now) : null,
      updates: [...(isNews ? [{ time: now, state, text: text ?? '' }] : []), ...(before?.updates ?? [])],
    };
    const name = id ?? randomBytes(8).toString('base64url');
    await this.documents.put([{ kind: 'incident', name, body, changedAt: this.now() }]);
    this.answer = undefined;
    return { id: name, ...body };
  }

  async remove(id: string): Promise<boolean> {
    this.answer = undefined;
    return this.documents.remove('incident', id);
  }

  private async stored(): Promise<StoredPage | undefined> {
    return (await this.documents.document('status-page', PAGE))?.body as StoredPage | undefined;
  }

  /** A pass is of one password: with another it holds no longer. */
  private signature(until: string, passwordHash: string): string {
    return signatureOf(this.key, `${until} ${passwordHash}`);
  }

  private isPass(pass: string | undefined, passwordHash: string): boolean {
    const [until = '', ...signature] = (pass ?? '').split('.');
    return isSameSignature(signature.join('.'), this.signature(until, passwordHash)) && Number(until) > this.now();
  }

  private async made(page: StoredPage, now: number): Promise<PublicStatusDto> {
    const { bounds, names } = lastDays(now, this.timeZone);
    const lines = new Map<string, Member[]>();
    for (const { name, device } of named(await this.chosen(page), page.names)) {
      const member = { isUp: await this.isUp(device, now), days: await this.daysOf(device, bounds, now) };
      lines.set(name, [...(lines.get(name) ?? []), member]);
    }
    const since = toRfc3339(now - DAYS * DAY);
    const incidents = (await this.incidents()).filter(({ began, ended }) => ended === null || began >= since);
    return {
      title: page.title,
      text: page.text ?? '',
      time: toRfc3339(now),
      lines: [...lines].map(([name, members]) => lineOf(name, members, names)),
      incidents: incidents.sort((a, b) => Number(a.ended !== null) - Number(b.ended !== null)),
    };
  }

  private async chosen({ tags }: StoredPage): Promise<StoredDevice[]> {
    // Nothing is chosen by nothing: a page without tags would show everything.
    if (tags.length === 0) return [];
    const matches = hasAll(
      tags.map((tag) => {
        const equals = tag.indexOf('=');
        return [tag.slice(0, equals), like(tag.slice(equals + 1))] as const;
      }),
    );
    return (await this.store.devices()).filter((device) => matches(device.tags));
  }

  private async isUp(device: StoredDevice, now: number): Promise<boolean> {
    return statusAt(now, deadlines(await this.rhythms.of(device), device.lastTime, now)) !== 'offline';
  }

  private async daysOf(device: StoredDevice, bounds: readonly number[], now: number): Promise<DeviceDays> {
    const known = this.days.get(device.name);
    const [first = 0] = bounds;
    if (known?.first === first && now - known.at < DAYS_FRESH && now >= known.at) return known.days;
    const days = await daysOf(this.store, device, bounds, now);
    this.days.set(device.name, { at: now, first, days });
    return days;
  }
}

interface Member {
  readonly isUp: boolean;
  readonly days: DeviceDays;
}

/** What each device is called on the page; several may be called the same. */
function named(devices: readonly StoredDevice[], names: string): { name: string; device: StoredDevice }[] {
  let unnamed = 0;
  const nameOf = ({ name, displayName, tags }: StoredDevice): string => {
    if (names === 'device_name') return name;
    if (names === 'display_name') return displayName ?? `Device ${(unnamed += 1)}`;
    return tags[names.slice('tag:'.length)] ?? 'Other';
  };
  const found = devices.map((device) => ({ name: nameOf(device), device }));
  return found.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

function lineOf(name: string, members: readonly Member[], dayNames: readonly string[]): StatusLineDto {
  const up = members.filter(({ isUp }) => isUp).length;
  const sum = (of: (days: DeviceDays) => number): number => members.reduce((total, { days }) => total + of(days), 0);
  const all = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
  return {
    name,
    state: up === members.length ? 'up' : up === 0 ? 'down' : 'part',
    percent: percentOf(
      sum(({ watched }) => all(watched)),
      sum(({ silent }) => all(silent)),
    ),
    days: dayNames.map((day, index) => ({
      day,
      percent: percentOf(
        sum(({ watched }) => watched[index] ?? 0),
        sum(({ silent }) => silent[index] ?? 0),
      ),
    })),
  };
}
