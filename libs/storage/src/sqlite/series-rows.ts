import { crcOf, withByte } from './row-checksum.js';

/** What a series is, as very many rows say it: of every device that has it. */
export interface SeriesKind {
  readonly metricName: string;
  readonly labelsKey: string;
  readonly unit: string | null;
  /** Of the JSON array that the checksum is of, all behind the ids. */
  readonly tail: Uint8Array;
  /** The one that came after this one the last time. */
  next: SeriesKind | undefined;
}

/** Kinds that are kept: where labels tell every series from all others, there is no use in them. */
const MOST_KINDS = 4096;
const MOST_TEXTS = 20_000;

/** Makes and checks checksums of rows of series one after the other. Devices mostly have the same ones in the same order: what these say is looked at once. */
export class SeriesRows {
  private readonly kinds = new Map<string, SeriesKind>();
  private readonly texts = new Map<string, string>();
  private last: SeriesKind | undefined;

  /** What a row says. */
  kindOf(metricName: string, labelsKey: string, unit: string | null): SeriesKind {
    const guess = this.last?.next;
    if (guess && guess.metricName === metricName && guess.labelsKey === labelsKey && guess.unit === unit) {
      return (this.last = guess);
    }
    const key = JSON.stringify([metricName, labelsKey, unit]);
    let kind = this.kinds.get(key);
    if (!kind) {
      kind = {
        metricName: this.shared(metricName),
        labelsKey,
        unit: unit === null ? null : this.shared(unit),
        tail: Buffer.from(`,${key.slice(1)}`),
        next: undefined,
      };
      if (this.kinds.size === MOST_KINDS) this.kinds.clear();
      this.kinds.set(key, kind);
    }
    if (this.last) this.last.next = kind;
    return (this.last = kind);
  }

  /** The same text need not be there once for each series. */
  private shared(text: string): string {
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    if (this.texts.size === MOST_TEXTS) this.texts.clear();
    this.texts.set(text, text);
    return text;
  }

  /** As `rowChecksum` of a row. */
  checksumOf(id: number, deviceId: number, { tail }: SeriesKind): number {
    let crc = crcOf(`[${id},${deviceId}`);
    for (let at = 0; at < tail.length; at += 1) crc = withByte(crc, tail[at]);
    return ~crc >>> 0;
  }
}
