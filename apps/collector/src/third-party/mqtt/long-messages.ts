import { Transform, type TransformCallback } from 'node:stream';

const PUBLISH = 3;
/** A remaining length is never longer. */
const LENGTH_BYTES = 4;

/**
 * Packets of MQTT as they come from a broker, without messages that are longer than `maxBytes`: the client would collect each whole.
 * They come at QoS 0, so the broker waits for no word on them. Fails at any other packet of that length.
 */
export class LongMessages extends Transform {
  /** The fixed header of the packet that begins. */
  private header: number[] = [];
  /** Bytes of the packet that are still to come. */
  private left = 0;
  /** The beginning of a message that is left out, for its topic; undefined while packets go through. */
  private beginning: Buffer | undefined;

  /** @param onLong told the topic of each message that is left out. */
  constructor(
    private readonly maxBytes: number,
    private readonly onLong: (topic: string) => void,
  ) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.left === 0) {
        if (!this.begins(chunk[at++] ?? 0)) return done(this.tooLong());
        continue;
      }
      const part = chunk.subarray(at, at + this.left);
      at += part.length;
      this.left -= part.length;
      if (this.beginning) this.skip(part);
      else this.push(part);
    }
    done();
  }

  /** Takes a byte of a header. @returns false where it is that of a packet that must not come. */
  private begins(byte: number): boolean {
    this.header.push(byte);
    const isLast = this.header.length > 1 && (byte < 128 || this.header.length > LENGTH_BYTES);
    if (!isLast) return true;
    const [type = 0, ...digits] = this.header;
    this.left = digits.reduce((sum, digit, index) => sum + (digit & 127) * 128 ** index, 0);
    if (this.left <= this.maxBytes) this.push(Buffer.from(this.header));
    else if (type >> 4 === PUBLISH) this.beginning = Buffer.alloc(0);
    else return false;
    this.header = [];
    return true;
  }

  private skip(part: Buffer): void {
    const before = this.beginning ?? Buffer.alloc(0);
    const topicEnds = before.length < 2 ? 2 ** 16 + 1 : 2 + before.readUInt16BE();
    if (before.length < topicEnds)
      this.beginning = Buffer.concat([before, part.subarray(0, topicEnds - before.length)]);
    if (this.left > 0) return;
    const whole = this.beginning ?? before;
    this.onLong(whole.subarray(2, 2 + whole.readUInt16BE()).toString());
    this.beginning = undefined;
  }

  private tooLong(): Error {
    return new Error(`a packet is longer than ${this.maxBytes} bytes`);
  }
}
