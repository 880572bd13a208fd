import { isOnTrial } from '@device-metrics/settings';
import { sqliteDriver } from '../upload/spool-file.js';
import { GO, type FromTrial } from './trial.js';

/** This process as the new version that another has started. */
export interface OnTrial {
  /** Says that it could start, and resolves when it may collect. */
  allowed(): Promise<void>;
  /** Tells from now on how it fares. */
  tell(hasSent: () => boolean): void;
}

/** Undefined where nobody has started this process to try it out. */
export function onTrial(): OnTrial | undefined {
  if (!isOnTrial() || process.send === undefined) return undefined;
  const say = (news: FromTrial): void => void process.send?.(news, undefined, undefined, () => undefined);
  // Without the one that watches nobody would know how this ends.
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  return {
    allowed: () =>
      new Promise((resolve) => {
        sqliteDriver();
        process.on('message', (message) => {
          if (message === GO) resolve();
        });
        say({ ready: true });
      }),
    tell: (hasSent) => void setInterval(() => say({ sent: hasSent() }), 1_000).unref(),
  };
}
