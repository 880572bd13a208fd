import { isNewer, type PackageFacts } from '@device-metrics/domain';
import type { AccessStore, StoredUpdate } from '@device-metrics/storage';
import { Inject, Injectable } from '@nestjs/common';
import { ACCESS_STORE } from '../access/access-store.js';
import { isThere } from '../access/collectors/join.js';
import { Packages } from '../packages/packages.js';
import { waveOf, whyNot, type Member, type Wave } from './wave.js';

/** What a collector says when it asks. */
export interface UpdateQuestion {
  readonly version: string;
  readonly tried?: string | undefined;
  readonly result?: Exclude<StoredUpdate['result'], ''> | undefined;
  readonly reason?: string | undefined;
}

/** What it may take, or why nothing. */
export type UpdateOffer = { readonly facts: PackageFacts } | { readonly reason: string };

/** Which collectors may take which version, and how they fared. */
@Injectable()
export class Updates {
  /** One question at a time, of all processes: each sees whom those before it let go ahead. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    @Inject(ACCESS_STORE) private readonly store: AccessStore,
    private readonly packages: Packages,
  ) {}

  /** Notes what a collector says, and lets it go ahead if it is its turn. */
  ask(id: string, question: UpdateQuestion, now: number): Promise<UpdateOffer> {
    const answer = this.turn.then(() => this.store.collectors.alone(() => this.answer(id, question, now)));
    this.turn = answer.catch(() => undefined);
    return answer;
  }

  /** Every collector that has joined, with the newest version for it, and those that update themselves. */
  async all(): Promise<{ members: Member[]; askers: Member[] }> {
    const [collectors, updates, newest] = await Promise.all([
      this.store.collectors.all(),
      this.store.collectors.updates(),
      this.newestByPlatform(),
    ]);
    const byId = new Map(updates.map((update) => [update.collectorId, update]));
    const members = collectors.filter(isThere).map((collector): Member => {
      const update = byId.get(collector.id) ?? neverAsked(collector.id);
      return { collector, update, newest: newest.get(collector.platform)?.version ?? '' };
    });
    // One in conflict may not send, and so could not show that a version works: nobody waits for it, or is held back by it.
    const isAsker = ({ collector, update, newest }: Member): boolean =>
      collector.state === 'active' && update.askedAt > 0 && newest !== '';
    return { members, askers: members.filter(isAsker) };
  }

  /** How far each version has got. */
  async waves(now: number): Promise<Wave[]> {
    const { askers } = await this.all();
    const versions = [...new Set(askers.map(({ newest }) => newest))].sort();
    return versions.map((version) => waveOf(version, askers, now)).filter(({ size }) => size > 0);
  }

  /** Forgets what failed or was refused: all may try again. @returns how many had. */
  async again(): Promise<number> {
    const stuck = (await this.store.collectors.updates()).filter(({ result }) =>
      ['failed', 'refused'].includes(result),
    );
    for (const update of stuck) {
      await this.store.collectors.putUpdate({ ...update, offered: '', tried: '', result: '', reason: '' });
    }
    return stuck.length;
  }

  private async answer(id: string, question: UpdateQuestion, now: number): Promise<UpdateOffer> {
    const { version, tried, result, reason = '' } = question;
    if ((await this.store.collectors.find(id))?.state === 'conflict') {
      await this.store.collectors.change(id, { version });
      return { reason: 'Its device belongs to another: it takes no other version until an admin has decided.' };
    }
    const before = (await this.store.collectors.updates()).find(({ collectorId }) => collectorId === id);
    const news = tried !== undefined && result !== undefined && { tried, result, reason, triedAt: now };
    const update = { ...(before ?? neverAsked(id)), askedAt: now, ...news };
    await this.store.collectors.change(id, { version });
    await this.store.collectors.putUpdate(update);
    const { askers } = await this.all();
    const member = askers.find(({ collector }) => collector.id === id);
    const facts = member && (await this.newestByPlatform()).get(member.collector.platform);
    if (!facts) return { reason: 'This api has no package for this platform.' };
    const why = whyNot(member, askers, now);
    if (why !== undefined) return { reason: why };
    // The hour that it has begins with the first answer: those that come again add nothing.
    const isFirst =
      update.offered !== member.newest || (update.tried === member.newest && update.triedAt >= update.offeredAt);
    const offeredAt = isFirst ? now : update.offeredAt;
    await this.store.collectors.putUpdate({ ...update, offered: member.newest, offeredAt });
    return { facts };
  }

  private async newestByPlatform(): Promise<Map<string, PackageFacts>> {
    const newest = new Map<string, PackageFacts>();
    for (const one of await this.packages.list()) {
      const platform = `${one.system} ${one.architecture}`;
      const other = newest.get(platform);
      if (!other || isNewer(one.version, other.version)) newest.set(platform, one);
    }
    return newest;
  }
}

const neverAsked = (collectorId: string): StoredUpdate => ({
  collectorId,
  askedAt: 0,
  offered: '',
  offeredAt: 0,
  tried: '',
  result: '',
  reason: '',
  triedAt: 0,
});
