import { inBaseUnit, metricDefinition, reasonOf, scaled, type Reading } from '@device-metrics/domain';
import { createRequire } from 'node:module';
import type modbus from 'modbus-serial';
import type { Parts } from '../../run/source.js';
import { openTcp, type TcpTarget } from '../tcp.js';
import { decode, isBit, sizeOf, type Register } from './register.js';

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

/**
 * Gives `parts` the readings of registers, and which of them the device refuses, says nothing to, or cuts the connection at.
 *
 * @throws Error when the device is not there, or answers nothing.
 */
export async function readRegisters(
  target: ModbusTarget,
  registers: readonly Register[],
  signal: AbortSignal,
  parts: Parts,
): Promise<void> {
  const line = new Line(target, signal);
  try {
    await readGroups(line, groupsOf(registers), parts);
  } finally {
    line.close();
  }
}

/** The device has cut the connection. */
class Cut extends Error {}

const isTimeout = (error: unknown): boolean => reasonOf(error) === 'Timed out';

/** The connection to a device, which is opened when it is asked for, and again after the device has cut it or given no answer. */
class Line {
  private open: { readonly client: Client; readonly closed: Promise<never>; readonly destroy: () => void } | undefined;
  /** How many requests were sent. */
  private requests = 0;

  constructor(
    private readonly target: ModbusTarget,
    private readonly signal: AbortSignal,
  ) {}

  /** @throws Cut when the device ends the connection; Error when it cannot be reached, and what `request` throws. */
  async ask<T>(request: (client: Client) => Promise<T>): Promise<T> {
    const { client, closed } = (this.open ??= await this.connect());
    this.requests += 1;
    try {
      return await Promise.race([request(client), closed]);
    } catch (error) {
      // What came was perhaps half an answer: all that follows it on this connection would be read from the wrong place.
      if (error instanceof Cut || isTimeout(error)) this.close();
      throw error;
    }
  }

  close(): void {
    this.open?.destroy();
    this.open = undefined;
  }

  private async connect(): Promise<NonNullable<Line['open']>> {
    const { target } = this;
    const socket = await openTcp(target, MAX_BYTES, this.signal);
    let cut = 'the device has cut the connection; many allow only one or two at once';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET') cut = error.message;
    });
    const closed = new Promise<never>((_resolve, reject) => socket.once('close', () => reject(new Cut(cut))));
    closed.catch(() => undefined);
    const client = new (modbusSerial().default)();
    // An error of the socket without a listener would end the collector.
    client.on('error', () => undefined);
    await Promise.race([client.linkTCP(socket, { port: target.port }), closed]);
    numberFrom(client, this.requests + 1);
    client.setID(target.unitId);
    client.setTimeout(target.requestTimeout);
    // It ends the times that it waits for answers too.
    return { client, closed, destroy: () => client.destroy(() => undefined) };
  }
}

/** The numbers that modbus-serial gives to requests. */
const NUMBERS = 256;

/**
 * Says the number of the next request, which its answer has too. Each connection begins at 1, and a gateway may give the answer to a
 * request that it is late with on the connection that is open then: it must not be taken for that to another request.
 */
function numberFrom(client: Client, next: number): void {
  const { _port: port } = client as unknown as { readonly _port: { _transactionIdWrite: number } };
  port._transactionIdWrite = next % NUMBERS;
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

/** So many groups without an answer, and the device is not asked for more: each takes its time. */
const MOST_SILENT = 2;
/** So many connections that are cut without any answer, and no more are opened. */
const MOST_CUTS = 8;

async function readGroups(line: Line, groups: readonly Register[][], parts: Parts): Promise<void> {
  const silent: { readonly group: Register[]; readonly error: Error }[] = [];
  let answered = false;
  for (const group of groups) {
    try {
      answered = (await readGroup(line, group, parts)) || answered;
    } catch (error) {
      silent.push({ group, error: error as Error });
      const most = Math.min(error instanceof Cut ? MOST_CUTS : MOST_SILENT, groups.length);
      if (!answered && silent.length >= most) {
        if (error instanceof Cut) throw error;
        throw new Error(`${nameOf(silent[0]?.group[0] as Register)}: ${reasonOf(error)}`, { cause: error });
      }
    }
  }
  // Some devices do not refuse a register that they lack, but say nothing, or cut the connection. They come last, as each takes its time.
  for (const { group, error } of silent) {
    for (const register of group) {
      const one = group.length === 1 ? Promise.reject(error) : readGroup(line, [register], parts);
      await one.catch((reason: unknown) => parts.reject(nameOf(register), reasonOf(reason)));
    }
  }
}

/**
 * Where the device refuses a group, its registers are read one by one: a bad one costs none of the others.
 *
 * @returns true, as the device has answered.
 * @throws Error when there was no answer.
 */
async function readGroup(line: Line, group: readonly Register[], parts: Parts): Promise<true> {
  const first = group[0] as Register;
  const length = Math.max(...group.map((register) => register.address + sizeOf(register))) - first.address;
  let values: (number | boolean)[];
  try {
    values = await ask(line, first, length);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (group.length === 1) parts.reject(nameOf(first), error.message);
    else for (const register of group) await readGroup(line, [register], parts);
    return true;
  }
  parts.keep(
    group.flatMap((register) => {
      const start = register.address - first.address;
      return readingsOf(register, values.slice(start, start + sizeOf(register)));
    }),
  );
  return true;
}

const nameOf = ({ kind, address }: Register): string => `${kind} ${address}`;

function readingsOf(register: Register, values: readonly (number | boolean)[]): Reading[] {
  const raw = isBit(register) ? Number(values[0]) : decode(register, values.map(Number));
  if (Number.isNaN(raw)) return [];
  const { metric, scale, offset, labels } = register;
  const unit = register.unit ?? metricDefinition(metric)?.unit;
  const value = scaled(raw, scale, offset);
  return [{ metricName: metric, ...inBaseUnit(value, unit), ...(Object.keys(labels).length > 0 && { labels }) }];
}

/** The device has answered that it will not give what was asked for. */
class Refused extends Error {}

/** @throws Refused with the reason of the device; Error when it gives no answer. */
async function ask(line: Line, { kind, address }: Register, length: number): Promise<(number | boolean)[]> {
  try {
    const { data } = await line.ask<{ data: (number | boolean)[] }>((client) =>
      ({
        holding: () => client.readHoldingRegisters(address, length),
        input: () => client.readInputRegisters(address, length),
        coil: () => client.readCoils(address, length),
        discrete: () => client.readDiscreteInputs(address, length),
      })[kind](),
    );
    if (data.length < length) throw new Refused(`gave ${data.length} values instead of ${length}`);
    return data;
  } catch (error) {
    if (error instanceof Cut) throw error;
    if (isTimeout(error)) throw new Error('no answer; is unit_id right?', { cause: error });
    throw new Refused(reasonOf(error), { cause: error });
  }
}
