import type { Reading } from '@device-metrics/domain';

/** Reads one thing: a group of metrics of this PC, or one third-party device. */
export interface Source {
  /** Unique in this collector; names the source in the log and in the collector's own metrics. */
  readonly name: string;

  /**
   * The readings of now. Rejects with a reason that a person can act on when the thing as a whole cannot be read; an empty
   * array means that it was read and has nothing to say.
   *
   * @param signal aborts when the runner no longer waits: at the timeout, or when the collector stops.
   * @param parts takes what else there is to say of parts: one that cannot be read costs none of the others.
   */
  read(signal: AbortSignal, parts: Parts): Promise<Reading[]>;

  /** Lets go of what the source holds between runs, such as a connection. */
  close?(): Promise<void>;
}

/** What a source says of parts of the thing that it reads, while it reads. */
export interface Parts {
  /**
   * Names a part that could not be read; the readings of the others are sent. The runner says each once per new reason, counts
   * them in `collector.source.rejected`, and takes the run for failed where there is no reading at all.
   *
   * @param part what a person would look for: an OID, a register, a variable, a mount point, a line.
   * @param reason as in `must be a number, got "N/A"`.
   */
  reject(part: string, reason: string): void;

  /**
   * Names something that came by itself and could not be read, such as a message. The source has said so already, and it
   * makes no run fail.
   */
  leaveOut(part: string, reason: string): void;

  /**
   * Readings that are sent even where the run fails after them, or does not end in time. Those that `read` returns need it
   * not.
   */
  keep(readings: readonly Reading[]): void;
}

/** What sources read with; a test gives its own. */
export interface SourceTools {
  /** Says something once that a person should know, as what this machine lacks. */
  readonly say: (message: string) => void;
}
