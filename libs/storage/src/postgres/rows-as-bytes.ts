import type { Duplex } from 'node:stream';
import pg from 'pg';
import type { ByteWriter } from '../columnar/codec/bytes.js';

/** One that has a name is prepared once for each connection. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values: readonly string[];
}

/** What the driver's connection has; its types say it for an older one. */
interface Wire {
  readonly stream: Duplex;
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(bound: { readonly statement: string; readonly values: readonly string[]; readonly binary: true }): void;
  execute(which: object): void;
  sync(): void;
}

/** Of a message: its type, and its length but for that. */
const HEADER = 5;
const DATA_ROW = 'D'.charCodeAt(0);

/**
 * Sees what comes on a connection before the driver does, which reads the fields of rows as text: `bytea` as such takes twice the
 * room, and more work at both ends than all else that is done with it.
 */
export class Tap {
  /** Where rows go while a RowsAsBytes is under way. */
  rows: ByteWriter | undefined;
  readonly prepared = new Set<string>();
  /** Of the message that is under way. */
  private left = 0;
  private isRow = false;
  /** The beginning of a header. */
  private held = Buffer.alloc(0);

  constructor(private readonly pass: (bytes: Buffer) => void) {}

  take(chunk: Buffer): void {
    const bytes = this.held.length > 0 ? Buffer.concat([this.held, chunk]) : chunk;
    let [passed, at] = [0, 0];
    const passTo = (end: number): void => {
      if (end > passed) this.pass(bytes.subarray(passed, end));
    };
    while (at < bytes.length) {
      if (this.left === 0) {
        if (bytes.length - at < HEADER) break;
        this.left = 1 + bytes.readUInt32BE(at + 1);
        this.isRow = this.rows !== undefined && bytes[at] === DATA_ROW;
        if (this.isRow) {
          passTo(at);
          this.left -= HEADER;
          passed = at += HEADER;
        }
      }
      const end = Math.min(bytes.length, at + this.left);
      this.left -= end - at;
      if (this.isRow) {
        this.rows?.append(bytes.subarray(at, end));
        passed = end;
      }
      at = end;
    }
    passTo(at);
    this.held = at < bytes.length ? Buffer.from(bytes.subarray(at)) : Buffer.alloc(0);
  }
}

const taps = new WeakMap<Duplex, Tap>();

/** The tap of a connection on which nothing is under way. */
function tapOf(stream: Duplex): Tap {
  const known = taps.get(stream);
  if (known) return known;
  const [driver] = stream.listeners('data') as ((bytes: Buffer) => void)[];
  const tap = new Tap(driver);
  stream.on('data', (chunk: Buffer) => {
    tap.take(chunk);
  });
  stream.off('data', driver);
  taps.set(stream, tap);
  return tap;
}

/** Statements that go to the server together, in one transaction, and whose rows come as bytes; see `fieldsOf`. */
export class RowsAsBytes extends pg.Query {
  /** For each statement where its rows end. */
  readonly ends: number[] = [];
  private tap: Tap | undefined;

  constructor(
    private readonly statements: readonly Statement[],
    private readonly into: ByteWriter,
  ) {
    super('');
  }

  override readonly submit = (connection: unknown): void => {
    const wire = connection as Wire;
    const { stream } = wire;
    this.tap = tapOf(stream);
    this.tap.rows = this.into;
    stream.cork();
    for (const { name = '', text, values } of this.statements) {
      if (!this.tap.prepared.has(name)) wire.parse({ name, text });
      if (name !== '') this.tap.prepared.add(name);
      wire.bind({ statement: name, values, binary: true });
      wire.execute({});
    }
    wire.sync();
    stream.uncork();
  };

  handleCommandComplete(): void {
    this.ends.push(this.into.length);
  }

  /** The pool gives up the connection; what still comes on it is nobody's. */
  handleError(error: Error): void {
    this.letGo();
    (this as unknown as { readonly callback: (error: Error) => void }).callback(error);
  }

  handleReadyForQuery(): void {
    this.letGo();
    (this as unknown as { readonly callback: (error: null) => void }).callback(null);
  }

  private letGo(): void {
    if (this.tap) this.tap.rows = undefined;
  }
}

/** The fields of rows that a RowsAsBytes has given, one row after the other, in the same memory; none of them may be null. */
export function* fieldsOf(bytes: Uint8Array): Generator<Uint8Array[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    const count = view.getInt16(at);
    at += 2;
    const fields: Uint8Array[] = [];
    for (let field = 0; field < count; field += 1) {
      const length = view.getUint32(at);
      fields.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
    yield fields;
  }
}

/** A field of the type bigint, which is within 2^53. */
export function int8Of(field: Uint8Array): number {
  const view = new DataView(field.buffer, field.byteOffset, 8);
  return view.getInt32(0) * 2 ** 32 + view.getUint32(4);
}
