const code = (letter: string): number => letter.charCodeAt(0);
const DOT = code('.');
const ZERO = code('0');
const NINE = code('9');

/** So many digits are an integer that a double holds exactly, and so is the power of ten. */
export const EXACT_DIGITS = 15;
const POWERS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, power) => 10 ** power);

/** Reads digits with or without a point from bytes; what is allowed around them is for its users to say. */
export class DecimalReader {
  /** What was read: the double that is nearest, where it has at most EXACT_DIGITS digits. */
  value = 0;
  /** How many digits it has, in front of the point and behind it; of more than EXACT_DIGITS, which may be megabytes, not all count. */
  digits = 0;

  /**
   * Reads what begins at `start` and gives where it ends: without a point that is `digits` bytes on. Of more than EXACT_DIGITS digits
   * that may be between two of them.
   */
  read(bytes: Uint8Array, start: number): number {
    let most = start + EXACT_DIGITS + 2;
    let at = start;
    let byte = bytes[at] as number;
    let number = 0;
    while (byte >= ZERO && byte <= NINE && at < most) {
      number = number * 10 + (byte - ZERO);
      byte = bytes[++at] as number;
    }
    let digits = at - start;
    if (byte === DOT) {
      const point = at;
      most = point + EXACT_DIGITS + 2;
      byte = bytes[++at] as number;
      while (byte >= ZERO && byte <= NINE && at < most) {
        number = number * 10 + (byte - ZERO);
        byte = bytes[++at] as number;
      }
      const decimals = at - point - 1;
      digits += decimals;
      // Both are exact, and so the quotient is the double that is nearest.
      if (digits <= EXACT_DIGITS) number /= POWERS[decimals] as number;
    }
    this.value = number;
    this.digits = digits;
    return at;
  }
}
