import { Inject, Injectable, Logger } from '@nestjs/common';
import { reasonOf } from '@device-metrics/domain';
import { apiConfig, type ApiConfig } from '../settings.js';
import { Alerts } from './alerts.js';
import { GRID } from './rules/read-rule.js';

const MINUTE = 60_000;
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
  private lastProblem = '';

  constructor(
    @Inject(Alerts) private readonly alerts: Alerts,
    @Inject(apiConfig.KEY) private readonly settings: ApiConfig,
  ) {}

  start(): void {
    this.repeat(GRID, async () => {
      if (await this.alerts.isMine()) await this.alerts.look();
    });
    this.repeat(SENDING, async () => {
      if (await this.alerts.isMine()) await this.alerts.sendWaiting();
    });
    if (this.settings.alerts.heartbeatUrl !== '')
      this.repeat(MINUTE, () => this.beat(this.settings.alerts.heartbeatUrl));
  }

  stop(): void {
    this.stopped = true;
    for (const timer of this.timers) clearTimeout(timer);
  }

  /** On a grid of the clock that nobody sets; never twice at once. */
  private repeat(interval: number, act: () => Promise<void>): void {
    const next = (): void => {
      if (this.stopped) return;
      const wait = interval - (performance.now() % interval);
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        void act()
          .catch((error: unknown) => this.say(reasonOf(error)))
          .finally(next);
      }, wait);
      this.timers.add(timer.unref());
    };
    next();
  }

  private async beat(url: string): Promise<void> {
    const { lookedAt } = this.alerts;
    if (lookedAt === undefined || performance.now() - lookedAt > ALIVE) return;
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    await response.body?.cancel();
    if (!response.ok) this.say(`HEARTBEAT_URL answered ${response.status}`);
  }

  private say(problem: string): void {
    if (problem !== this.lastProblem) this.logger.error(problem);
    this.lastProblem = problem;
  }
}
