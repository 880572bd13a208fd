import type { Labels } from '@device-metrics/domain';
import type { Section } from '../../config/section.js';

/** The types by their bytes; of a register of 16 bits one byte may be a value of its own. */
const BYTES = {
  uint16: 2,
  int16: 2,
  uint32: 4,
  int32: 4,
  uint64: 8,
  int64: 8,
  float32: 4,
  float64: 8,
  'uint8-low': 1,
  'uint8-high': 1,
  'int8-low': 1,
  'int8-high': 1,
} as const;
export const KINDS = ['holding', 'input', 'coil', 'discrete'] as const;
const ORDERS = ['high-first', 'low-first'] as const;

export type RegisterType = keyof typeof BYTES;
const TYPES = Object.keys(BYTES) as RegisterType[];

/** One value of a device. */
export interface Register {
  readonly kind: (typeof KINDS)[number];
  /** As on the wire: from 0. */
  readonly address: number;
  /** Of one bit where `kind` is coil or discrete. */
  readonly type: RegisterType;
  /** The order of 16-bit registers in a longer value. */
  readonly words: (typeof ORDERS)[number];
  /** The order of the two bytes of each register. */
  readonly bytes: (typeof ORDERS)[number];
  /** Only this bit of the value, 0 being the lowest. */
  readonly bit: number | undefined;
  /** Numbers by which the device says that it has no value: as the type has them, or as the bits without sign. */
  readonly none: readonly number[];
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
    words: keys.choice('words', ORDERS, 'high-first'),
    bytes: keys.choice('bytes', ORDERS, 'high-first'),
    bit: keys.has('bit') ? keys.count('bit', 0, 0, 63) : undefined,
    none: keys.numbers('none'),
    metric: keys.metricName('metric'),
    unit: keys.optionalText('unit'),
    scale: keys.number('scale', 1),
    offset: keys.number('offset', 0),
    labels: keys.textsByName('labels'),
  };
  if (register.address + sizeOf(register) > 65_536) keys.mistake('address', 'is too high for this type');
  if (register.bit !== undefined) checkBit(keys, register, register.bit);
  keys.end();
  return register;
}

function checkBit(keys: Section, register: Register, bit: number): void {
  const { kind, type } = register;
  if (isBit(register)) keys.mistake('bit', `is not for ${kind}, which is one bit`);
  else if (type.startsWith('float')) keys.mistake('bit', `is not for ${type}`);
  else if (bit >= BYTES[type] * 8)
    keys.mistake('bit', `must be from 0 to ${BYTES[type] * 8 - 1} for ${type}, got ${bit}`);
}

export const isBit = ({ kind }: Register): boolean => kind === 'coil' || kind === 'discrete';

/** How many registers, or bits, a value takes. */
export function sizeOf(register: Register): number {
  return isBit(register) ? 1 : Math.ceil(BYTES[register.type] / 2);
}

/** The number that 16-bit registers stand for; NaN where the device says "nothing" so. */
export function decode(register: Register, registers: readonly number[]): number {
  const bytes = bytesOf(register, registers);
  const bits = BigInt(`0x${bytes.toString('hex')}`);
  if (register.bit !== undefined) return Number((bits >> BigInt(register.bit)) & 1n);
  const value = numberOf(register.type, bytes);
  return register.none.includes(value) || register.none.includes(Number(bits)) ? NaN : value;
}

/** The bytes of a value, the highest first. */
function bytesOf({ type, words, bytes }: Register, registers: readonly number[]): Buffer {
  const all = Buffer.alloc(registers.length * 2);
  const ordered = words === 'high-first' ? registers : [...registers].reverse();
  ordered.forEach((register, index) => all.writeUInt16BE(register, index * 2));
  if (bytes === 'low-first') all.swap16();
  if (BYTES[type] > 1) return all;
  return type.endsWith('-high') ? all.subarray(0, 1) : all.subarray(1, 2);
}

function numberOf(type: RegisterType, bytes: Buffer): number {
  switch (type) {
    case 'uint8-low':
    case 'uint8-high':
      return bytes.readUInt8();
    case 'int8-low':
    case 'int8-high':
      return bytes.readInt8();
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
