import { quote } from '@device-metrics/domain';

const BLANK = /[ \t]*/y;

/** Reads a line from left to right. */
export class Cursor {
  position = 0;

  constructor(readonly line: string) {}

  get atEnd(): boolean {
    return this.position >= this.line.length;
  }

  get remaining(): string {
    return this.line.slice(this.position);
  }

  /** What is left, for a message. */
  get rest(): string {
    return this.atEnd ? 'the end of the line' : quote(this.remaining);
  }

  /** Goes past blanks and tabs. */
  skip(): void {
    this.match(BLANK);
  }

  ahead(text: string): boolean {
    return this.line.startsWith(text, this.position);
  }

  take(text: string): boolean {
    const taken = this.ahead(text);
    if (taken) this.position += text.length;
    return taken;
  }

  /** The text that a sticky expression matches here, or undefined where it does not. */
  match(expression: RegExp): string | undefined {
    expression.lastIndex = this.position;
    const text = expression.exec(this.line)?.[0];
    this.position += text?.length ?? 0;
    return text;
  }
}
