import { countOf, type SampleBatch } from '@device-metrics/domain';
import { JournalRowWriter } from '../columnar/codec/journal-row.js';
import { eachGroup } from '../columnar/series-places.js';
import { StoreUnavailableError } from '../store.js';
import { MOST_PENDING, type Session } from './session.js';
import { rowKey } from './writer.js';

/** Samples that one commit takes, at most. */
const LARGEST_COMMIT = 200_000;

interface Waiting {
  readonly samples: SampleBatch;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

/** The session of the moment, and what is done when it can write no more. */
interface Sessions {
  /** @throws StoreUnavailableError while there is none. */
  current(): Session;
  /** Reads everything anew. */
  renew(): Promise<void>;
  /** Gets another lease to write with. */
  replaceWriter(session: Session): Promise<void>;
}

/** Writes what this process takes into the journal. */
export class Commits {
  private readonly row = new JournalRowWriter();
  private waiting: Waiting[] = [];
  private committing: Promise<void> | undefined;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly sessions: Sessions,
    private readonly now: () => number,
  ) {}

  /** Resolves once the samples are on disk. */
  add(samples: SampleBatch): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      this.waiting.push({ samples, resolve, reject });
      this.committing ??= this.commitAll();
    });
  }

  /** Resolves once nothing is under way. */
  async idle(): Promise<void> {
    await this.committing;
  }

  /** One after the other: a commit, or what must not come between two. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.turn.then(work);
    this.turn = result.catch(() => undefined);
    return result;
  }

  /** Commits what waits, group after group; what comes meanwhile shares the next commit. */
  private async commitAll(): Promise<void> {
    await new Promise(setImmediate);
    while (this.waiting.length > 0) {
      const group: Waiting[] = [];
      let size = 0;
      while (
        this.waiting.length > 0 &&
        (group.length === 0 || size + countOf(this.waiting[0].samples) <= LARGEST_COMMIT)
      ) {
        const [one] = this.waiting.splice(0, 1);
        group.push(one);
        size += countOf(one.samples);
      }
      try {
        await this.inTurn(() => this.commit(group));
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    this.committing = undefined;
  }

  private async commit(group: readonly Waiting[]): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const session = this.sessions.current();
      const { writer, version } = session;
      const samples = session.pool.take();
      const good: Waiting[] = [];
      for (const one of group) {
        const found = await session.seriesOf(one.samples).catch((error: unknown) => {
          one.reject(error);
        });
        if (!found) continue;
        good.push(one);
        samples.add(one.samples, found);
      }
      if (good.length === 0) return;
      // Making series may have found that devices have changed.
      if (session.version !== version) continue;
      const number = writer.nextNumber;
      this.row.reserve(samples.length);
      eachGroup(samples.places, ({ ids }, start) => this.row.addIds(ids, start, samples.timestamps, samples.values));
      let at: number | undefined;
      try {
        at = await writer.commit(this.row.lend(rowKey(writer.id, number)), version);
      } catch (error) {
        // Whether it was written shows once nothing more can come under that lease.
        await this.sessions.replaceWriter(session);
        throw error;
      }
      if (at !== undefined) {
        session.wrote({ writer: writer.id, number, at, takenAt: this.now(), samples, version });
        for (const { resolve } of good) resolve();
        if (session.pendingSamples > MOST_PENDING) await session.catchUp();
        return;
      }
      const lease = await writer.renew();
      if (lease === 'gone') {
        await this.sessions.renew();
        throw new StoreUnavailableError('this process was away for so long that its lease has run out; send again');
      }
      if (lease === 'other') {
        // It has not what was acknowledged: it is one that was promoted without, or was put back.
        await this.sessions.renew();
        throw new StoreUnavailableError('the database is not the one of before; send again');
      }
      await session.catchUp();
      group = good;
    }
    throw new StoreUnavailableError('devices are being changed all the time');
  }
}
