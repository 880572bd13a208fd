import type { AxiosInstance } from 'axios';
import type { Reading } from '@device-metrics/domain';
import type { Machine } from './pc/machine.js';

/** Reads one thing: a group of metrics of this PC, or one third-party device. */
export interface Source {
  /** Unique in this collector; names the source in the log and in the collector's own metrics. */
  readonly name: string;

  /**
   * The readings of now. Rejects with a reason that a person can act on when the thing cannot be read; an empty array
   * means that it was read and has nothing to say.
   *
   * @param signal aborts when the runner no longer waits: at the timeout, or when the collector stops.
   */
  read(signal: AbortSignal): Promise<Reading[]>;

  /** Lets go of what the source holds between runs, such as a connection. */
  close?(): Promise<void>;
}

/** What sources read with; a test gives its own. */
export interface SourceTools {
  readonly http: AxiosInstance;
  readonly machine: Machine;
  /** Says something once that a person should know, as what this machine lacks. */
  readonly say: (message: string) => void;
}

export const SOURCE_TOOLS = Symbol('SourceTools');
