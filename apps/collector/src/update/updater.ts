import { isNewer, reasonOf, UNPRINTABLE } from '@device-metrics/domain';
import type { Log } from '../run/log.js';
import { detailOf } from '../upload/detail.js';
import { aboutThisCollector } from '../upload/about.js';
import type { ApiConnection } from '../upload/api-connection.js';
import { fetchPackage, NotTaken, type Offer } from './fetch-package.js';
import { Trial, TrialFailed, type TrialLimits } from './trial.js';
import type { Program, UpdateFolder, UpdateResult } from './update-folder.js';

/** Characters that the api takes of a reason. */
const MOST_REASON = 1_000;

export interface UpdaterOptions {
  /** `update: auto`, as the configuration says it now. */
  readonly isAutomatic: () => boolean;
  /** How often the api is asked, ms. */
  readonly interval: number;
  readonly limits: TrialLimits;
  /** Commits what was read and lets go of the spool; after that this process collects no more. */
  readonly stopCollecting: () => Promise<void>;
  /** Goes on as another program, or as this one again. */
  readonly handOver: (program: Program) => void;
  readonly self: Program;
  readonly random?: () => number;
}

/**
 * Takes newer versions of the collector from its api:
 *
 *     ask → signature, room, checksum, unpack, starts? → trial: ready? ── stop here ──→ go → sent? → this process becomes it
 *             └── refused: goes on ──┘      └── failed: goes on ──┘                      └── failed: starts again as it was
 *
 * The spool changes hands once, when the new version has shown that it can start; what either reads is in it.
 */
export class Updater {
  private readonly abort = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private trial: Trial | undefined;
  private said = '';

  constructor(
    private readonly connection: ApiConnection,
    private readonly folder: UpdateFolder | undefined,
    private readonly options: UpdaterOptions,
    private readonly log: Log,
  ) {}

  start(): void {
    const random = this.options.random ?? Math.random;
    // All PCs of a room that start together need not ask together; but what the last try came to, others wait for.
    const first = this.folder?.result() ? 1_000 : random() * this.options.interval;
    const later = (delay: number): void => {
      this.timer = setTimeout(() => {
        void this.look().finally(() => {
          if (!this.abort.signal.aborted) later(this.options.interval * (0.75 + random() / 2));
        });
      }, delay);
    };
    later(first);
  }

  /** Ends what is under way; a new version on trial ends too. */
  async stop(): Promise<void> {
    clearTimeout(this.timer);
    this.abort.abort();
    await this.trial?.end();
  }

  /** Where a new version collects now, it gets the signal; false: nobody else does. */
  passOn(signal: NodeJS.Signals): boolean {
    this.trial?.signal(signal);
    return this.trial !== undefined;
  }

  /** Asks once, and takes what is offered. Never rejects. */
  async look(): Promise<void> {
    try {
      const offer = await this.ask();
      if (offer && isNewer(offer.version, aboutThisCollector().version)) await this.take(offer);
    } catch (error) {
      if (!this.abort.signal.aborted) this.sayOnce(`No newer version can be had now: ${reasonOf(error)}`);
    }
  }

  private async ask(): Promise<Offer | undefined> {
    if (!this.options.isAutomatic()) return undefined;
    if (!this.folder) return this.sayOnce('update: auto needs the package of the collector; this runs from its source');
    if (this.connection.updateKey === undefined) {
      return this.sayOnce(
        this.connection.hasJoined
          ? 'update: auto needs the key of the api, which this collector gets when it joins again'
          : 'update: auto is for collectors that have joined their api; this one is updated with the package of the server',
      );
    }
    const pending = this.folder.result();
    const { status, body } = await this.connection.request({
      method: 'POST',
      path: '/api/v1/collectors/self/update',
      data: Buffer.from(JSON.stringify({ ...aboutThisCollector(), ...(pending && sayable(pending)) })),
      signal: this.abort.signal,
    });
    if (status === 404) return this.sayOnce('The api is of a version that offers no newer ones');
    if (status !== 200) return this.sayOnce(`The api offers no newer version: ${status} ${detailOf(body)}`);
    if (pending) this.folder.forgetResult();
    const { package: offer, reason } = JSON.parse(body) as { package?: Offer; reason: string };
    if (!offer && reason.includes('first')) this.sayOnce(reason);
    return offer;
  }

  private async take(offer: Offer): Promise<void> {
    const { folder, log } = this;
    if (!folder) return;
    const { version } = offer;
    const now = aboutThisCollector().version;
    log.log(`The api offers version ${version}; it is fetched and tried out`);
    try {
      await fetchPackage(offer, { connection: this.connection, folder, signal: this.abort.signal });
    } catch (error) {
      if (!(error instanceof NotTaken)) throw error;
      log.warn(`Version ${version} is not taken, and ${now} goes on: ${error.message}`);
      return this.report({ tried: version, result: 'refused', reason: error.message });
    }
    await this.tryOut(version, folder);
  }

  private async tryOut(version: string, folder: UpdateFolder): Promise<void> {
    const { options, log } = this;
    const now = aboutThisCollector().version;
    const trial = new Trial(folder.programOf(version), options.limits);
    let hasSpool = false;
    try {
      await trial.ready();
      if (this.abort.signal.aborted) return await trial.end();
      this.trial = trial;
      hasSpool = true;
      await options.stopCollecting();
      trial.go();
      await trial.sent();
      await trial.end();
    } catch (error) {
      await trial.end();
      if (this.abort.signal.aborted) return;
      const reason = error instanceof TrialFailed ? error.message : `it could not be tried out: ${reasonOf(error)}`;
      if (hasSpool && !(await this.apiAnswers())) {
        log.warn(`Version ${version} is put off: the api does not answer, to ${now} neither, which goes on`);
      } else {
        log.error(`Version ${version} is given up, and ${now} goes on: ${reason}`);
        const result = { tried: version, result: 'failed', reason } as const;
        if (hasSpool) folder.note(result);
        else await this.report(result);
      }
      return hasSpool ? this.become(options.self) : folder.tidy();
    }
    if (this.abort.signal.aborted) return;
    folder.switchTo(version);
    folder.note({ tried: version, result: 'updated', reason: '' });
    log.log(`Version ${version} has sent: it goes on in the place of ${now}`);
    this.become(folder.programOf(version));
  }

  private become(program: Program): void {
    this.abort.abort();
    this.options.handOver(program);
  }

  /** Now, since others wait for it; otherwise the next question has it. */
  private async report(result: UpdateResult): Promise<void> {
    this.folder?.note(result);
    await this.ask();
  }

  private async apiAnswers(): Promise<boolean> {
    try {
      const signal = this.abort.signal;
      return (
        (await this.connection.request({ method: 'GET', path: '/readyz', signal, timeout: 10_000 })).status === 200
      );
    } catch {
      return false;
    }
  }

  private sayOnce(message: string): undefined {
    if (message !== this.said) this.log.warn(message);
    this.said = message;
  }
}

/** As the api takes it: on one line, and not too long, whatever a program has said at its end. */
const sayable = (result: UpdateResult): UpdateResult => ({
  ...result,
  reason: result.reason.split(UNPRINTABLE).join(' ').trim().slice(0, MOST_REASON),
});
