import { BYTES, FIXED64, type ProtoReader, tag } from '../protobuf/reader.js';

/** Of every point. */
export const START = tag(2, FIXED64);
export const TIME = tag(3, FIXED64);
/** What attributes were before OTLP 0.9; of exponential histograms, which are younger, it is those. */
const OLDER_LABELS = tag(1, BYTES);

/** What every kind of point has, of the one that is read. */
export class PointFields {
  /** Unix ms; 0 where the sender does not say. */
  start = 0;
  time = 0;
  flags = 0;
  /** Where its attributes stand; `from` is below 0 where it has none. */
  from = -1;
  to = -1;
  /** Whether no other field stands between them. */
  areTogether = true;
  hasOlderLabels = false;

  /** Forgets the point before. */
  begin(): void {
    this.start = 0;
    this.time = 0;
    this.flags = 0;
    this.from = -1;
    this.to = -1;
    this.areTogether = true;
    this.hasOlderLabels = false;
  }

  /** Reads a field whose tag stands at `at`; false where it is none of these. */
  read(reader: ProtoReader, field: number, at: number, attributes: number): boolean {
    if (field === attributes) {
      reader.at = reader.length();
      if (this.from < 0) this.from = at;
      else if (this.to !== at) this.areTogether = false;
      this.to = reader.at;
    } else if (field === TIME) {
      this.time = reader.nanosAsMs();
    } else if (field === START) {
      this.start = reader.nanosAsMs();
    } else if (field === OLDER_LABELS) {
      this.hasOlderLabels = true;
      reader.skip(field);
    } else {
      return false;
    }
    return true;
  }

  /** Whether its flags say that there is no value now. */
  get hasNoValue(): boolean {
    return (this.flags & 1) === 1;
  }
}
