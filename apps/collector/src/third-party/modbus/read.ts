import { inBaseUnit, metricDefinition, scaled, type Reading } from '@device-metrics/domain';
import { createRequire } from 'node:module';
import type modbus from 'modbus-serial';
import { openTcp, type TcpTarget } from '../tcp.js';
import { decode, sizeOf, type Register } from './register.js';

export interface ModbusTarget extends TcpTarget {
  /** Of the device behind a gateway, from 0 to 255. */
  readonly unitId: number;
  /** Of one request, ms. */
  readonly requestTimeout: number;
}

/** Of all answers of one run: 2,000 requests give less. */
const MAX_BYTES = 2 ** 20;
/** That one request may ask for. */
const MOST_REGISTERS = 125;

type ModbusSerial = typeof modbus;
type Client = InstanceType<ModbusSerial['default']>;

const load = createRequire(import.meta.url);
/** Loaded with the first device: it takes 16 MiB, and many collectors know none. */
const modbusSerial = (): ModbusSerial => load('modbus-serial') as ModbusSerial;

/** @throws Error when the device is not there, or refuses a register. */
export async function readRegisters(
  target: ModbusTarget,
  registers: readonly Register[],
  signal: AbortSignal,
): Promise<Reading[]> {
  const socket = await openTcp(target, MAX_BYTES, signal);
  let cut = 'the device has cut the connection; many allow only one or two at once';
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ECONNRESET') cut = error.message;
  });
  const closed = new Promise<never>((_resolve, reject) => socket.once('close', () => reject(new Error(cut))));
  closed.catch(() => undefined);
  const client = new (modbusSerial().default)();
  // An error of the socket without a listener would end the collector.
  client.on('error', () => undefined);
  try {
    await client.linkTCP(socket, { port: target.port });
    client.setID(target.unitId);
    client.setTimeout(target.requestTimeout);
    const readings: Reading[] = [];
    for (const group of groupsOf(registers)) readings.push(...(await Promise.race([readGroup(client, group), closed])));
    return readings;
  } finally {
    socket.destroy();
  }
}

/** Registers that follow one another are read in one request; what lies between others is not touched. */
export function groupsOf(registers: readonly Register[]): Register[][] {
  const sorted = [...registers].sort((a, b) => (a.kind === b.kind ? a.address - b.address : a.kind < b.kind ? -1 : 1));
  const groups: Register[][] = [];
  for (const register of sorted) {
    const group = groups.at(-1);
    const [first, last] = [group?.[0], group?.at(-1)];
    const follows = first?.kind === register.kind && last && register.address <= last.address + sizeOf(last);
    if (group && first && follows && register.address + sizeOf(register) - first.address <= MOST_REGISTERS) {
      group.push(register);
    } else groups.push([register]);
  }
  return groups;
}

async function readGroup(client: Client, group: readonly Register[]): Promise<Reading[]> {
  const first = group[0] as Register;
  const length = Math.max(...group.map((register) => register.address + sizeOf(register))) - first.address;
  const values = await ask(client, first, length);
  return group.flatMap((register) => {
    const start = register.address - first.address;
    const raw = decode16OrBit(register, values.slice(start, start + sizeOf(register)));
    if (Number.isNaN(raw)) return [];
    const { metric, scale, offset, labels } = register;
    const unit = register.unit ?? metricDefinition(metric)?.unit;
    const value = scaled(raw, scale, offset);
    return [{ metricName: metric, ...inBaseUnit(value, unit), ...(Object.keys(labels).length > 0 && { labels }) }];
  });
}

function decode16OrBit(register: Register, values: readonly (number | boolean)[]): number {
  return typeof values[0] === 'boolean' ? Number(values[0]) : decode(register, values.map(Number));
}

async function ask(client: Client, { kind, address }: Register, length: number): Promise<(number | boolean)[]> {
  try {
    const { data } = await {
      holding: () => client.readHoldingRegisters(address, length),
      input: () => client.readInputRegisters(address, length),
      coil: () => client.readCoils(address, length),
      discrete: () => client.readDiscreteInputs(address, length),
    }[kind]();
    if (data.length < length) throw new Error(`gave ${data.length} values instead of ${length}`);
    return data;
  } catch (error) {
    const { message } = error as Error;
    throw new Error(`${kind} ${address}: ${message === 'Timed out' ? 'no answer; is unit_id right?' : message}`, {
      cause: error,
    });
  }
}
