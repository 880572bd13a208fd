/** Numbers from `LEAST` to below `MOST` are looked at: of others some product here would not be exact. */
const LEAST = 0.01;
const MOST = 1e9;
/** Of numbers below it so many digits behind the point are found first, of others fewer; at most 9 are left in either case. */
const MILLION = 1e6;
const [MANY, FEW] = [9, 3];

/** A decimal of so many digits is the only one that stands for its double; with two more there is one for each double. */
const SURE_DIGITS = 15;

const POWERS = Array.from({ length: 20 }, (_, power) => 10 ** power);

/** What cuts the bits behind the point into two parts, each of so few that its product with a power of ten is a double. */
const [FIRST_CUT, SECOND_CUT] = [2 ** 30, 2 ** 26];

const FLOAT = new Float64Array(1);
const WORDS = new Uint32Array(FLOAT.buffer);
/** Which of the two words has the exponent. */
const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;
const MANTISSA = 0xfffff;
/** Half of the last place of a double is so many powers of two below the double, as its exponent has it. */
const HALF_OF_LAST = 53 << 20;

/**
 * Finds what stands behind the point in the shortest decimal that stands for a double, the nearest to it where there are several: what
 * `String` gives, which takes several times as long, since it can do it for all doubles.
 */
export class ShortestFraction {
  /** The first digits as an integer, and how many they are: it may begin with zeros. */
  first = 0;
  firstWidth = 0;
  /** The same of those behind. */
  rest = 0;
  restWidth = 0;
  /** What is left behind the first digits, 0 to 1 of the last of them. */
  private left = 0;

  /**
   * False where it is not found here: very small and large numbers, and those of 15 digits or fewer.
   *
   * @param size above 0.
   * @param whole the integer in front of the point.
   * @param width its digits; of 0 none.
   */
  find(size: number, whole: number, width: number): boolean {
    if (!(size >= LEAST && size < MOST)) return false;
    const half = halfOfLast(size);
    if (half === undefined) return false;
    this.firstWidth = size < MILLION ? MANY : FEW;
    this.cut(size - whole);
    // A zero that follows the point is none of the digits where only a zero stands in front of it.
    this.restWidth = SURE_DIGITS - width + (size < 0.1 ? 1 : 0) - this.firstWidth;
    if (this.roundRest() < half * this.scale()) return false;
    this.restWidth += 1;
    let distance = this.roundRest();
    if (distance >= half * this.scale()) {
      this.restWidth += 1;
      distance = this.roundRest();
    }
    // Of two that are as near `String` knows which.
    return distance !== 0.5;
  }

  private scale(): number {
    return POWERS[this.firstWidth + this.restWidth] as number;
  }

  /** Finds the first digits of a fraction. */
  private cut(fraction: number): void {
    const power = POWERS[this.firstWidth] as number;
    const high = Math.floor(fraction * FIRST_CUT) / FIRST_CUT;
    const product = high * power;
    const digits = Math.floor(product);
    const left = product - digits + (fraction - high) * power;
    this.first = left < 1 ? digits : digits + 1;
    this.left = left < 1 ? left : left - 1;
  }

  /** Rounds what is left to `restWidth` digits, and gives how far from it that is, in the last of them. */
  private roundRest(): number {
    const { left } = this;
    const power = POWERS[this.restWidth] as number;
    const high = Math.floor(left * SECOND_CUT) / SECOND_CUT;
    const product = high * power;
    const digits = Math.floor(product);
    const behind = product - digits + (left - high) * power;
    const more = Math.floor(behind + 0.5);
    this.rest = digits + more;
    return Math.abs(behind - more);
  }
}

/** Half of the last place of a double above 0; undefined of a power of two, which has a nearer neighbour below it than above. */
function halfOfLast(value: number): number | undefined {
  FLOAT[0] = value;
  const high = WORDS[HIGH] as number;
  if ((high & MANTISSA) === 0 && WORDS[1 - HIGH] === 0) return undefined;
  WORDS[HIGH] = (high & ~MANTISSA) - HALF_OF_LAST;
  WORDS[1 - HIGH] = 0;
  return FLOAT[0];
}
