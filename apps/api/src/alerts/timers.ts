import { Inject, Injectable, Logger } from '@nestjs/common';
import { MINUTE, reasonOf } from '@device-metrics/domain';
import { apiConfig, type ApiConfig } from '../settings.js';
import { Alerts } from './alerts.js';
import { get } from './notify/http.js';
import { GRID } from './rules/read-rule.js';

/** How often it is seen whether messages wait, ms. */
const SENDING = 1_000;
/** A heartbeat is a promise that the rules are looked at: after so long without it there is none, ms. */
const ALIVE = 4 * GRID;

/** Looks at the rules on their grid, sends what waits, and calls `HEARTBEAT_URL`. */
@Injectable()
export class AlertTimers {
  private readonly logger = new Logger('alerts');
  private readonly timers = new Set<NodeJS.Timeout>();
  private stopped = false;
  /** Of each work that goes wrong, what was said last. */
  private readonly problems = new Map<string, string>();

  constructor(
    @Inject(Alerts) private readonly alerts: Alerts,
    @Inject(apiConfig.KEY) private readonly settings: ApiConfig,
  ) {}

  start(): void {
    this.repeat('rules', GRID, async () => {
      if (await this.alerts.isMine()) await this.alerts.look();
    });
    this.repeat('messages', SENDING, async () => {
      if (await this.alerts.isMine()) await this.alerts.sendWaiting();
    });
    if (this.settings.alerts.heartbeatUrl !== '')
      this.repeat('HEARTBEAT_URL', MINUTE, () => this.beat(this.settings.alerts.heartbeatUrl));
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** On a grid of the clock that nobody sets; never twice at once. */
  private repeat(work: string, interval: number, act: () => Promise<void>): void {
    const next = (): void => {
      if (this.stopped) return;
      const wait = interval - (performance.now() % interval);
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        void act()
          .then(
            () => this.say(work, undefined),
            (error: unknown) => this.say(work, reasonOf(error)),
          )
          .finally(next);
      }, wait);
      this.timers.add(timer.unref());
    };
    next();
  }

  private async beat(url: string): Promise<void> {
    const { lookedAt } = this.alerts;
    if (lookedAt === undefined || performance.now() - lookedAt > ALIVE) return;
    await get(url);
  }

  /** Says what goes wrong when it begins, and when it is over. */
  private say(work: string, problem: string | undefined): void {
    const before = this.problems.get(work);
    if (problem === before) return;
    if (problem === undefined) {
      this.problems.delete(work);
      this.logger.log(`${work}: well again`);
    } else {
      this.problems.set(work, problem);
      this.logger.error(`${work}: ${problem}`);
    }
  }
}
