import { quote } from '@device-metrics/domain';
import type { Varbind } from 'net-snmp';
import { snmpClient } from './client.js';

/** Whether the device has the object; false for noSuchObject, noSuchInstance and the end of its tree. */
export const isThere = (varbind: Varbind): boolean => !snmpClient().isVarbindError(varbind);

/**
 * The number of an object: integers, gauges, counters of 32 and 64 bits (beyond 2⁵³ the nearest double), time ticks, and
 * texts that are numbers.
 *
 * @throws Error when the object is something else.
 */
export function numberOf({ oid, type, value }: Varbind): number {
  if (type === snmpClient().ObjectType['Counter64'] && Buffer.isBuffer(value)) return Number(unsigned(value));
  if (typeof value === 'number') return value;
  const text = Buffer.isBuffer(value) ? value.toString('latin1').trim() : '';
  const number = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
  if (Number.isFinite(number)) return number;
  throw new Error(
    `${oid} must be a number, got ${Buffer.isBuffer(value) ? quote(value.toString('latin1')) : typeName(type)}`,
  );
}

/** The text of an object, as a label has it: bytes that are no printable text as `00:1a:2b`. */
export function textOf({ type, value }: Varbind): string {
  if (type === snmpClient().ObjectType['Counter64'] && Buffer.isBuffer(value)) return String(unsigned(value));
  if (!Buffer.isBuffer(value)) return String(value);
  // Agents of printers and UPSs end their texts with a zero.
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
