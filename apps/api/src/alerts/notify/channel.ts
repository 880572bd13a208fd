import type { Severity } from '../rules/rule.js';
import type { Notice } from '../telling/tell.js';

/** A message in words, ready for any channel. */
export interface Message {
  /** The same for the same message: a channel that knows such a key does not say it twice. */
  readonly key: string;
  readonly status: 'firing' | 'resolved';
  readonly severity: Severity;
  /** One line. */
  readonly title: string;
  /** Some lines of plain text, the most important first. */
  readonly text: string;
  readonly html: string;
  readonly links: Links;
  /** SVG of the series of the first alert around its beginning; undefined where there is no series. */
  readonly chart: string | undefined;
  /** What it was made of, for channels that speak of each alert. */
  readonly notice: Notice;
  readonly alerts: readonly MessageAlert[];
  /** Of a channel with several receivers: who of them gets it now; left out: all. */
  readonly receivers?: ReceiversNow | undefined;
}

export interface ReceiversNow {
  /** Nobody else. */
  readonly only: string | undefined;
  /** Those that get it later, after what they have not got yet. */
  readonly without: readonly string[];
}

/** One alert in words. */
export interface MessageAlert {
  readonly id: string;
  readonly rule: string;
  readonly severity: Severity;
  readonly device: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What is wrong, with value and level in human units. */
  readonly summary: string;
  readonly text: string;
  /** Unix milliseconds. */
  readonly began: number;
  readonly ended: number | null;
  readonly url: string | undefined;
}

/** Undefined where the address of this server is not known (`PUBLIC_URL`). */
export interface Links {
  readonly chart: string | undefined;
  readonly acknowledge: string | undefined;
  readonly silence: string | undefined;
}

export interface Field {
  readonly type: 'text' | 'url' | 'integer' | 'flag' | 'address' | 'addresses' | 'headers';
  readonly meaning: string;
  /** What a text may be. */
  readonly choices?: readonly string[];
  readonly required?: boolean;
  /** Shown to nobody once it is set. It may be `${ALERTS_…}` of the environment or `file:NAME`. */
  readonly secret?: boolean;
  readonly default?: string | number | boolean;
}

/** What the fields of a channel hold, with secrets in place. */
export type ChannelSettings = Readonly<Record<string, unknown>>;

/** A way to tell somebody. */
export interface ChannelType {
  readonly type: string;
  /** Where its own documentation stands. */
  readonly documentation: string;
  readonly fields: Readonly<Record<string, Field>>;
  /**
   * Resolves when the receiver has taken the message.
   *
   * @throws ChannelError when it has not.
   */
  send(message: Message, settings: ChannelSettings): Promise<void>;
}

/** A receiver for whom a message was not taken, and why. */
export interface Refused {
  readonly receiver: string;
  readonly reason: string;
}

/** A message was not taken, and why. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError';

  /** Sending the same again is of no use: what is wrong is the message or the settings. */
  readonly permanent: boolean;
  /** Seconds after which the receiver wants to hear of it again. */
  readonly retryAfter: number | undefined;
  /** Of an answer of HTTP. */
  readonly status: number | undefined;
  /** For all but these it was taken; none where it was taken for nobody. */
  readonly refused: readonly Refused[];

  constructor(
    reason: string,
    more:
      | boolean
      | {
          permanent: boolean;
          retryAfter?: number | undefined;
          status?: number | undefined;
          refused?: readonly Refused[];
        },
  ) {
    super(reason);
    const { permanent, retryAfter, status, refused = [] } = typeof more === 'boolean' ? { permanent: more } : more;
    this.refused = refused;
    this.permanent = permanent;
    this.retryAfter = retryAfter;
    this.status = status;
  }
}

/** At most so many characters, cut at a line or a word where there is one near. */
export function shortened(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const head = text.slice(0, longest - 1);
  const cut = Math.max(head.lastIndexOf('\n'), head.lastIndexOf(' '));
  // No half of a surrogate pair stays.
  return `${(cut > longest * 0.8 ? head.slice(0, cut) : head).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** The same in bytes of UTF-8. */
export function shortenedBytes(
  text: string,
  bytes: number,
  sizeOf: (text: string) => number = (one) => Buffer.byteLength(one),
): string {
  let result = shortened(text, bytes);
  while (sizeOf(result) > bytes) result = shortened(result, Math.floor(result.length * 0.9));
  return result;
}
