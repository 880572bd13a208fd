import type { Labels } from '@device-metrics/domain';
import type { Section } from '../../config/section.js';

export const TYPES = ['uint16', 'int16', 'uint32', 'int32', 'uint64', 'int64', 'float32', 'float64'] as const;
export const KINDS = ['holding', 'input', 'coil', 'discrete'] as const;
const WORDS = ['high-first', 'low-first'] as const;

export type RegisterType = (typeof TYPES)[number];

/** One value of a device. */
export interface Register {
  readonly kind: (typeof KINDS)[number];
  /** As on the wire: from 0. */
  readonly address: number;
  /** Of one bit where `kind` is coil or discrete. */
  readonly type: RegisterType;
  /** The order of 16-bit registers in a longer value. */
  readonly words: (typeof WORDS)[number];
  readonly metric: string;
  readonly unit: string | undefined;
  readonly scale: number;
  /** Added after scaling, before the unit is converted. */
  readonly offset: number;
  readonly labels: Labels;
}

export function registerOf(keys: Section): Register {
  if (!keys.has('address')) keys.mistake('address', 'is missing; it must be the number of the register, from 0');
  const register: Register = {
    address: keys.count('address', 0, 0, 65_535),
    kind: keys.choice('kind', KINDS, 'holding'),
    type: keys.choice('type', TYPES, 'uint16'),
    words: keys.choice('words', WORDS, 'high-first'),
    metric: keys.metricName('metric'),
    unit: keys.optionalText('unit'),
    scale: keys.number('scale', 1),
    offset: keys.number('offset', 0),
    labels: keys.textsByName('labels'),
  };
  if (register.address + sizeOf(register) > 65_536) keys.mistake('address', 'is too high for this type');
  keys.end();
  return register;
}

/** How many registers, or bits, a value takes. */
export function sizeOf({ kind, type }: Register): number {
  return kind === 'coil' || kind === 'discrete' ? 1 : Number(/\d+$/.exec(type)?.[0]) / 16;
}

/** The number that 16-bit registers stand for; NaN where the device says "nothing" so. */
export function decode({ type, words }: Register, registers: readonly number[]): number {
  const bytes = Buffer.alloc(registers.length * 2);
  const ordered = words === 'high-first' ? registers : [...registers].reverse();
  ordered.forEach((register, index) => bytes.writeUInt16BE(register, index * 2));
  switch (type) {
    case 'uint16':
      return bytes.readUInt16BE();
    case 'int16':
      return bytes.readInt16BE();
    case 'uint32':
      return bytes.readUInt32BE();
    case 'int32':
      return bytes.readInt32BE();
    case 'uint64':
      return Number(bytes.readBigUInt64BE());
    case 'int64':
      return Number(bytes.readBigInt64BE());
    case 'float32':
      // Only 7 digits are true: 21.3 would else be 21.299999237060547.
      return Number(bytes.readFloatBE().toPrecision(7));
    case 'float64':
      return bytes.readDoubleBE();
  }
}
