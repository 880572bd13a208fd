import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { showDuration } from '@device-metrics/domain';
import { environmentOfTrial } from '@device-metrics/settings';
import type { Program } from './update-folder.js';

/** What the new version says to the one that has started it. */
export interface FromTrial {
  /** It could start. It goes on when it is allowed to, since only one may have the spool. */
  readonly ready?: true;
  /** Said each second from then on; whether the api has acknowledged samples. */
  readonly sent?: boolean;
}

/** Its answer to `ready`. */
export const GO = 'go';

export interface TrialLimits {
  /** How long the new version may take until it is ready, and again until it has sent, ms. */
  readonly within: number;
  /** How long it may say nothing once it collects, ms. */
  readonly silence: number;
}

const ENDS_WITHIN = 7_000;

/** Why the new version is given up; the message says it to a person. */
export class TrialFailed extends Error {}

/** The new version, as a process beside this one. */
export class Trial {
  private readonly child: ChildProcess;
  private readonly ended: Promise<string>;
  private lastNews = performance.now();
  private isReady = false;
  private hasSent = false;

  constructor(
    { node, main }: Program,
    private readonly limits: TrialLimits,
  ) {
    this.child = fork(main, [], { execPath: node, execArgv: [], env: environmentOfTrial(), stdio: 'inherit' });
    this.ended = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(`it cannot be started: ${error.message}`));
      this.child.once('exit', (code, signal) => resolve(`it ended by itself, with ${signal ?? code}`));
    });
    this.child.on('message', ({ ready, sent }: FromTrial) => {
      this.lastNews = performance.now();
      this.isReady ||= ready === true;
      this.hasSent ||= sent === true;
    });
  }

  /** @throws TrialFailed */
  ready(): Promise<void> {
    return this.until(() => this.isReady, 'it is not ready', Infinity);
  }

  /** From now on it has the spool. */
  go(): void {
    this.lastNews = performance.now();
    this.child.send(GO, () => undefined);
  }

  /** @throws TrialFailed */
  sent(): Promise<void> {
    return this.until(() => this.hasSent, 'it has not sent', this.limits.silence);
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Resolves when its process is gone. */
  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null || this.child.pid === undefined) return;
    const gone = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), ENDS_WITHIN);
    await gone;
    clearTimeout(timer);
  }

  private async until(isSo: () => boolean, otherwise: string, silence: number): Promise<void> {
    const begin = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const seen = new Promise<string | undefined>((resolve) => {
      timer = setInterval(() => {
        const now = performance.now();
        if (isSo()) resolve(undefined);
        else if (now - begin > this.limits.within) resolve(`${otherwise} within ${showDuration(this.limits.within)}`);
        else if (now - this.lastNews > silence) resolve(`it hangs: no sign of life for ${showDuration(silence)}`);
      }, 100);
    });
    const reason = await Promise.race([seen, this.ended]);
    clearInterval(timer);
    if (reason !== undefined) throw new TrialFailed(reason);
  }
}
