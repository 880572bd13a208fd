import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import modbusSerial, { type ServerTCP } from 'modbus-serial';
import { until } from '../../../test/harness.js';
import { Device, flood, memoryGrowth, mistakesOf, TcpPeer } from '../../../test/third-party/device.js';
import { groupsOf } from './read.js';
import { decode, type Register } from './register.js';

const register = (others: Partial<Register>): Register => {
  const usual = { kind: 'holding', address: 0, type: 'uint16', words: 'high-first', bytes: 'high-first' } as const;
  return {
    ...usual,
    bit: undefined,
    none: [],
    metric: 'm',
    unit: undefined,
    scale: 1,
    offset: 0,
    labels: {},
    ...others,
  };
};

describe('registers', () => {
  it.each([
    ['uint16', [0xffff], 65_535],
    ['int16', [0xffff], -1],
    ['uint32', [0x0001, 0x0002], 65_538],
    ['int32', [0xffff, 0xfffe], -2],
    ['uint64', [0, 1, 0, 0], 2 ** 32],
    ['int64', [0xffff, 0xffff, 0xffff, 0xffff], -1],
    ['float32', [0x41aa, 0x6666], 21.3],
    ['float64', [0x3ff8, 0, 0, 0], 1.5],
  ] as const)('of %s are one number', (type, registers, value) => {
    expect(decode(register({ type }), registers)).toBe(value);
    expect(decode(register({ type, words: 'low-first' }), [...registers].reverse())).toBe(value);
  });

  it('may have their bytes the other way round, with words in either order', () => {
    const float = { type: 'float32', bytes: 'low-first' } as const;
    expect(decode(register(float), [0x6643, 0x0080])).toBe(230.5);
    expect(decode(register({ ...float, words: 'low-first' }), [0x0080, 0x6643])).toBe(230.5);
    expect(decode(register({ bytes: 'low-first' }), [0x3412])).toBe(0x1234);
  });

  it.each([
    ['int16', [0x8000], [0x8000]],
    ['int16', [0x8000], [-32_768]],
    ['uint16', [0xffff], [0xfffe, 0xffff]],
    ['int32', [0x8000, 0], [0x80000000]],
    ['uint64', [0xffff, 0xffff, 0xffff, 0xffff], [2 ** 64 - 1]],
    ['float32', [0x7fc0, 0], []],
    ['float32', [0xff80, 0x0001], []],
    ['float32', [0x7f7f, 0xffff], [0x7f7fffff]],
    ['float32', [0xc61c, 0x3c00], [-9999]],
    ['float64', [0x7ff8, 0, 0, 0], []],
    ['int8-low', [0x1280], [0x80]],
  ] as const)('say that there is no value: %s %j', (type, registers, none) => {
    expect(decode(register({ type, none }), registers)).toBeNaN();
  });

  it.each([
    ['uint8-low', [0x12fe], 0xfe],
    ['uint8-high', [0x12fe], 0x12],
    ['int8-low', [0x12fe], -2],
    ['int8-high', [0xfe12], -2],
  ] as const)('have two values of 8 bits: %s of %j', (type, registers, value) => {
    expect(decode(register({ type }), registers)).toBe(value);
    expect(decode(register({ type, bytes: 'low-first' }), [((registers[0] & 0xff) << 8) | (registers[0] >> 8)])).toBe(
      value,
    );
  });

  it('have bits', () => {
    const bits = (type: Register['type'], registers: number[]): number[] =>
      [0, 1, 15].map((bit) => decode(register({ type, bit }), registers));
    expect(bits('uint16', [0x8002])).toEqual([0, 1, 1]);
    expect(bits('uint32', [0, 0x8001])).toEqual([1, 0, 1]);
    expect(decode(register({ type: 'uint64', bit: 63 }), [0x8000, 0, 0, 0])).toBe(1);
  });

  it('that follow one another are asked for together', () => {
    const at = (address: number, type: Register['type'] = 'uint16'): Register => register({ address, type });
    const groups = groupsOf([at(5), at(0, 'float32'), at(2), at(3), at(200), register({ kind: 'input', address: 4 })]);
    expect(groups.map((group) => group.map(({ kind, address }) => `${kind} ${address}`))).toEqual([
      ['holding 0', 'holding 2', 'holding 3'],
      ['holding 5'],
      ['holding 200'],
      ['input 4'],
    ]);
    expect(groupsOf(Array.from({ length: 130 }, (_, address) => at(address))).map(({ length }) => length)).toEqual([
      125, 5,
    ]);
  });
});

describe('a Modbus device', () => {
  let server: ServerTCP;
  let port = 0;
  const holding: Record<number, number> = { 0: 0x4366, 1: 0x8000, 2: 215, 10: 0xfff6, 20: 12, 30: 0x7fc0, 31: 0 };
  const start = async (): Promise<void> => {
    server = new modbusSerial.ServerTCP(
      {
        getHoldingRegister: (address: number) => {
          if (address >= 1000) throw Object.assign(new Error(), { modbusErrorCode: 2 });
          return holding[address] ?? 0;
        },
        getInputRegister: (address: number) => address,
        getCoil: (address: number) => address === 7,
      },
      { host: '127.0.0.1', port, unitID: 1 },
    );
    await new Promise<void>((resolve) => server.on('initialized', () => resolve()));
    port = (server as unknown as { _server: { address(): { port: number } } })._server.address().port;
  };
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of server.socks.keys()) socket.destroy();
      server.close(() => resolve());
    });
  beforeAll(async () => {
    const probe = await new TcpPeer(() => undefined).start();
    port = probe.port;
    await probe.stop();
    await start();
  });
  afterAll(stop);
  const device = (registers: object[], others = {}): Device =>
    new Device({ protocol: 'modbus', host: '127.0.0.1', port, registers, ...others });

  it('gives registers and coils with type, scale and unit', async () => {
    const meter = device([
      { address: 0, type: 'float32', metric: 'hw.voltage', labels: { line: 1 } },
      { address: 2, metric: 'hw.temperature', scale: 0.1, unit: '°C' },
      { address: 10, type: 'int16', metric: 'outside', scale: 0.5, offset: 60, unit: '°F' },
      { address: 20, metric: 'hw.energy', unit: 'kWh', scale: 10 },
      { address: 30, type: 'float32', metric: 'nothing' },
      { kind: 'input', address: 55, metric: 'load', unit: '%' },
      { kind: 'coil', address: 7, metric: 'relay' },
    ]);
    expect(await meter.values()).toEqual({
      'hw.voltage{line=1} V': 230.5,
      'hw.temperature Cel': 21.5,
      'outside Cel': 12.7777777777778,
      'hw.energy J': 432_000_000,
      'load 1': 0.55,
      relay: 1,
    });
  });

  it('that refuses a register, or is another unit, says which', async () => {
    expect(await device([{ address: 1000, metric: 'm' }]).failure()).toMatch(
      /^holding 1000: Modbus exception 2: Illegal data address/,
    );
    const other = device([{ address: 0, metric: 'm' }], { unit_id: 9, request_timeout: '100ms' });
    expect(await other.failure()).toBe('holding 0: no answer; is unit_id right?');
  });

  it('that refuses one register gives all the others, and names that one', async () => {
    const registers = [998, 999, 1000].map((address) => ({ address, metric: `m${address}` }));
    const meter = device([{ address: 2, metric: 'm2' }, ...registers, { address: 2000, metric: 'far' }]);
    for (let run = 0; run < 2; run += 1) expect(await meter.values()).toEqual({ m2: 215, m998: 0, m999: 0 });
    const reason = 'Modbus exception 2: Illegal data address (register not supported by device)';
    expect(meter.rejected).toEqual([`holding 1000: ${reason}`, `holding 2000: ${reason}`]);
    expect(meter.log).toEqual([`rack: cannot read holding 1000, holding 2000: ${reason}`]);
  });

  it('gives bits, bytes and swapped words, and no value where there is none', async () => {
    Object.assign(holding, { 40: 0x6643, 41: 0x0080, 50: 0x8000, 51: 0x8000, 60: 0b100, 70: 0x12fe });
    const meter = device([
      { address: 40, type: 'float32', bytes: 'low-first', metric: 'hw.voltage' },
      { address: 50, type: 'int16', metric: 'hw.temperature', scale: 0.1, none: [0x8000] },
      { address: 50, type: 'int32', metric: 'hw.power', none: [0x80000000, 0x80008000] },
      { address: 60, bit: 2, metric: 'alarm' },
      { address: 60, bit: 3, metric: 'fault' },
      { address: 70, type: 'int8-low', metric: 'low' },
      { address: 70, type: 'uint8-high', metric: 'high' },
    ]);
    expect(await meter.values()).toEqual({ 'hw.voltage V': 230.5, alarm: 1, fault: 0, low: -2, high: 18 });
    expect(meter.rejected).toEqual([]);
  });

  it('that is absent fails, and comes back', async () => {
    const meter = device([{ address: 2, metric: 'm' }]);
    await stop();
    expect(await meter.failure()).toMatch(/ECONNREFUSED/);
    await start();
    expect(await meter.values()).toEqual({ m: 215 });
    expect(meter.log.at(-1)).toBe('rack works again');
  });

  it('says what is wrong in its configuration', () => {
    const registers = [
      { address: 65_535, type: 'uint32', metric: 'm' },
      { metric: 'm', type: 'int8' },
    ];
    expect(mistakesOf({ protocol: 'modbus', host: 'h', registers })).toEqual([
      'third_party[0].registers[0].address: is too high for this type',
      'third_party[0].registers[1].address: is missing; it must be the number of the register, from 0',
      expect.stringContaining('third_party[0].registers[1].type: must be one of uint16, int16'),
    ]);
    expect(mistakesOf({ protocol: 'modbus', host: 'h' })).toHaveLength(1);
    const wrong = [
      { address: 1, metric: 'm', bit: 16 },
      { address: 1, metric: 'm', bit: 0, kind: 'coil' },
      { address: 1, metric: 'm', bit: 0, type: 'float32' },
      { address: 1, metric: 'm', none: [true] },
    ];
    expect(mistakesOf({ protocol: 'modbus', host: 'h', registers: wrong })).toEqual([
      'third_party[0].registers[0].bit: must be from 0 to 15 for uint16, got 16',
      'third_party[0].registers[1].bit: is not for coil, which is one bit',
      'third_party[0].registers[2].bit: is not for float32',
      'third_party[0].registers[3].none[0]: must be a number, got true',
    ]);
  });
});

describe('a peer that is no Modbus device', () => {
  const peer = new TcpPeer(() => undefined);
  const device = (timeout = '20s', request_timeout = '5s'): Device => {
    const registers = [{ address: 0, metric: 'm' }];
    return new Device({
      protocol: 'modbus',
      host: '127.0.0.1',
      port: peer.port,
      registers,
      timeout,
      request_timeout,
    });
  };
  beforeAll(() => peer.start());
  afterAll(() => peer.stop());
  afterEach(() => {
    peer.onConnection = (): void => undefined;
  });

  it('hangs', async () => {
    expect(await device('20s', '200ms').failure()).toBe('holding 0: no answer; is unit_id right?');
    expect(await device('50ms').failure()).toBe('no answer within 50 ms');
  });

  it('says nothing to some registers: the others are read', async () => {
    peer.onConnection = (socket) =>
      socket.on('data', (request: Buffer) => {
        const [address, length] = [request.readUInt16BE(8), request.readUInt16BE(10)];
        if (address <= 10 && address + length > 10) return;
        const data = Buffer.alloc(3 + 2 * length, 1);
        data.set([3, 2 * length], 1);
        data[0] = request[6] ?? 0;
        const answer = Buffer.concat([request.subarray(0, 4), Buffer.from([0, data.length]), data]);
        socket.write(answer);
      });
    const registers = [9, 10, 11, 20].map((address) => ({ address, metric: `m${address}` }));
    const entry = { protocol: 'modbus', host: '127.0.0.1', port: peer.port, registers };
    const meter = new Device({ ...entry, request_timeout: '1s', timeout: '20s' });
    // Where others keep the machine busy, more is late than this one.
    let values = {};
    await until(async () => (values = await meter.values().catch(() => ({}))) && meter.rejected.length === 1);
    expect(Object.keys(values).sort()).toEqual(['m11', 'm20', 'm9']);
    expect(meter.rejected).toEqual(['holding 10: no answer; is unit_id right?']);
  });

  it('answers late, on the next connection too, as a gateway does that knows one line only: no other register has that value', async () => {
    const answerTo = (request: Buffer, value: number): Buffer =>
      Buffer.concat([request.subarray(0, 4), Buffer.from([0, 5]), Buffer.from([request[6] ?? 0, 3, 2, 0, value])]);
    let late: Buffer | undefined;
    peer.onConnection = (socket) =>
      socket.on('data', (request: Buffer) => {
        const address = request.readUInt16BE(8);
        if (address === 10) {
          late = answerTo(request, 99);
          return;
        }
        if (late) socket.write(late);
        late = undefined;
        socket.write(answerTo(request, address));
      });
    const registers = [10, 20, 30].map((address) => ({ address, metric: `m${address}` }));
    const entry = { protocol: 'modbus', host: '127.0.0.1', port: peer.port, registers };
    const meter = new Device({ ...entry, request_timeout: '300ms', timeout: '20s' });
    let values = {};
    await until(async () => (values = await meter.values().catch(() => ({}))) && 'm30' in values);
    expect(values).toEqual({ m20: 20, m30: 30 });
  });

  it('cuts the connection at some registers: the others are read, also those behind', async () => {
    peer.onConnection = (socket) =>
      socket.on('data', (request: Buffer) => {
        const [address, length] = [request.readUInt16BE(8), request.readUInt16BE(10)];
        if ([10, 30].some((bad) => address <= bad && address + length > bad)) return void socket.destroy();
        const data = Buffer.alloc(3 + 2 * length, 1);
        data.set([3, 2 * length], 1);
        data[0] = request[6] ?? 0;
        socket.write(Buffer.concat([request.subarray(0, 4), Buffer.from([0, data.length]), data]));
      });
    const registers = [9, 10, 11, 20, 30, 40].map((address) => ({ address, metric: `m${address}` }));
    const entry = { protocol: 'modbus', host: '127.0.0.1', port: peer.port, registers };
    const meter = new Device({ ...entry, request_timeout: '5s', timeout: '20s' });
    expect(Object.keys(await meter.values()).sort()).toEqual(['m11', 'm20', 'm40', 'm9']);
    const cut = 'the device has cut the connection; many allow only one or two at once';
    expect(meter.rejected).toEqual([`holding 10: ${cut}`, `holding 30: ${cut}`]);
  });

  it('gives half an answer for some registers: the others are read, also those behind', async () => {
    peer.onConnection = (socket) =>
      socket.on('data', (request: Buffer) => {
        const [address, length] = [request.readUInt16BE(8), request.readUInt16BE(10)];
        const data = Buffer.alloc(3 + 2 * length, 1);
        data.set([3, 2 * length], 1);
        data[0] = request[6] ?? 0;
        const answer = Buffer.concat([request.subarray(0, 4), Buffer.from([0, data.length]), data]);
        socket.write([10, 30].includes(address) ? answer.subarray(0, -1) : answer);
      });
    const registers = [1, 10, 20, 30, 40, 50].map((address) => ({ address, metric: `m${address}` }));
    const entry = { protocol: 'modbus', host: '127.0.0.1', port: peer.port, registers };
    const meter = new Device({ ...entry, request_timeout: '1s', timeout: '20s' });
    // Where others keep the machine busy, more is late than these two.
    let values = {};
    await until(async () => (values = await meter.values().catch(() => ({}))) && meter.rejected.length === 2);
    expect(Object.keys(values)).toEqual(['m1', 'm20', 'm40', 'm50']);
    const none = 'no answer; is unit_id right?';
    expect(meter.rejected).toEqual([`holding 10: ${none}`, `holding 30: ${none}`]);
  });

  it('cuts the connection, or sends garbage', async () => {
    peer.onConnection = (socket) => socket.once('data', () => socket.destroy());
    const cut = 'the device has cut the connection; many allow only one or two at once';
    expect(await device().failure()).toBe(cut);
    peer.onConnection = (socket) => void socket.destroy();
    expect(await device().failure()).toBe(cut);
    peer.onConnection = (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await device().failure()).toMatch(/^holding 0: .+/);
  });

  it('sends 100 MB', async () => {
    peer.onConnection = (socket) => flood(socket, 100e6);
    const growth = await memoryGrowth(async () =>
      expect(await device('60s').failure()).toMatch(/longer than 1048576|holding 0/),
    );
    expect(growth).toBeLessThan(100 * 2 ** 20);
  });
});
