import { quote } from '@device-metrics/domain';
import type { Varbind } from 'net-snmp';
import { textOfBytes } from '../../text-of-bytes.js';
import { snmpClient } from './client.js';

/** Whether the device has the object; false for noSuchObject, noSuchInstance and the end of its tree. */
export const isThere = (varbind: Varbind): boolean => !snmpClient().isVarbindError(varbind);

/** How the number is to be had of a text that is none by itself. */
export const READ_AS = ['number-in-text', 'integer', 'integer-little-endian'] as const;
export type ReadAs = (typeof READ_AS)[number];

/**
 * The number of an object: integers, gauges, counters of 32 and 64 bits (beyond 2⁵³ the nearest double), time ticks, floats
 * that are wrapped as Opaque, and texts that are numbers.
 *
 * @param as what else may be done with an octet string: take the first number in its text, as in `23.5 C`, or take its bytes
 *   for an integer without sign.
 * @throws Error when the object is something else.
 */
export function numberOf({ type, value }: Varbind, as?: ReadAs): number {
  const { Counter64, Opaque, IpAddress } = snmpClient().ObjectType;
  if (typeof value === 'number') return value;
  if (type === Counter64 && Buffer.isBuffer(value)) return Number(unsigned(value));
  if (type === Opaque && Buffer.isBuffer(value)) return opaqueNumber(value);
  if (!Buffer.isBuffer(value) || type === IpAddress) throw new Error(`must be a number, got ${typeName(type)}`);
  if (as === 'integer' || as === 'integer-little-endian') return integerOf(value, as);
  const text = value.toString('latin1').replace(/\0+$/, '').trim();
  const number = as === 'number-in-text' ? numberIn(text) : NUMBER.test(text) ? Number(text) : NaN;
  if (Number.isFinite(number)) return number;
  const allowed = as === 'number-in-text' ? 'must have a number in it' : 'must be a number';
  throw new Error(`${allowed}, got ${quote(value.toString('latin1'))}`);
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** The first number of a text that stands by itself: not the 1 of `temp1`. */
function numberIn(text: string): number {
  const [, digits = '', decimals] =
    /(?<![\p{L}\d_.,])([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)(?:,(\d+))?/iu.exec(text) ?? [];
  if (digits === '') return NaN;
  if (decimals === undefined) return Number(digits);
  if (decimals.length === 3) throw new Error(`may be a thousand or a fraction, got ${quote(text)}`);
  return Number(`${digits}.${decimals}`);
}

function integerOf(bytes: Buffer, as: ReadAs): number {
  if (bytes.length === 0 || bytes.length > 8)
    throw new Error(`must be 1 to 8 bytes of an integer, got ${bytes.length}`);
  return Number(unsigned(as === 'integer' ? bytes : Buffer.from(bytes).reverse()));
}

/** The tag of what an Opaque wraps, after 9f: as Net-SNMP and whoever builds on it has it. */
const OPAQUE = { counter64: 0x76, float: 0x78, double: 0x79, integer64: 0x7a, unsigned64: 0x7b } as const;

/** Of 9f, tag, length and big-endian bytes: 9f 78 04 41 10 00 00 is 9. */
function opaqueNumber(bytes: Buffer): number {
  const [marker, tag, length] = bytes;
  const content = bytes.subarray(3);
  if (marker === 0x9f && length === content.length) {
    // Only 7 digits of a float are true: 21.3 would else be 21.299999237060547.
    if (tag === OPAQUE.float && length === 4) return finite(Number(content.readFloatBE().toPrecision(7)));
    if (tag === OPAQUE.double && length === 8) return finite(content.readDoubleBE());
    if (length >= 1 && length <= 9) {
      if (tag === OPAQUE.counter64 || tag === OPAQUE.unsigned64) return Number(unsigned(content));
      if (tag === OPAQUE.integer64) return Number(BigInt.asIntN(8 * length, unsigned(content)));
    }
  }
  throw new Error(`must be a number, got Opaque ${bytes.toString('hex')}`);
}

function finite(number: number): number {
  if (Number.isFinite(number)) return number;
  throw new Error(`must be a number, got ${number}`);
}

/** Bytes of the longest hardware address, which is no text though all of its bytes may be letters, tabs and line feeds. */
const LONGEST_ADDRESS = 8;

/** The text of an object, as a label has it: line feeds and tabs as blanks, bytes that are no printable text as `00:1a:2b`. */
export function textOf({ type, value }: Varbind): string {
  if (type === snmpClient().ObjectType['Counter64'] && Buffer.isBuffer(value)) return String(unsigned(value));
  if (!Buffer.isBuffer(value)) return String(value);
  if (value.length > LONGEST_ADDRESS) {
    // Agents of printers and UPSs end their texts with a zero; names that people have typed in may be Latin-1.
    const text = textOfBytes(value).replace(/[\t\r\n]+/g, ' ');
    if (!/\p{Cc}/u.test(text)) return text.trim();
  }
  const text = value.toString('utf8').replace(/\0+$/, '');
  if (!/[\p{Cc}�]/u.test(text)) return text.trim();
  return [...value].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function unsigned(bytes: Buffer): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n) & 0xffff_ffff_ffff_ffffn;
}

function typeName(type: number): string {
  return Object.entries(snmpClient().ObjectType).find(([, number]) => number === type)?.[0] ?? `type ${type}`;
}
