import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import modbusSerial, { type ServerTCP } from 'modbus-serial';
import { Device, flood, memoryGrowth, mistakesOf, TcpPeer } from '../../../test/third-party/device.js';
import { groupsOf } from './read.js';
import { decode, type Register } from './register.js';

const register = (others: Partial<Register>): Register => {
  const usual = { kind: 'holding', address: 0, type: 'uint16', words: 'high-first', metric: 'm' } as const;
  return { ...usual, unit: undefined, scale: 1, offset: 0, labels: {}, ...others };
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
  });
});

describe('a peer that is no Modbus device', () => {
  const peer = new TcpPeer(() => undefined);
  const device = (timeout = '400ms'): Device => {
    const registers = [{ address: 0, metric: 'm' }];
    return new Device({
      protocol: 'modbus',
      host: '127.0.0.1',
      port: peer.port,
      registers,
      timeout,
      request_timeout: '200ms',
    });
  };
  beforeAll(() => peer.start());
  afterAll(() => peer.stop());
  afterEach(() => {
    peer.onConnection = (): void => undefined;
  });

  it('hangs', async () => {
    expect(await device().failure()).toBe('holding 0: no answer; is unit_id right?');
    expect(await device('50ms').failure()).toBe('no answer within 50 ms');
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
      expect(await device('2s').failure()).toMatch(/longer than 1048576|holding 0/),
    );
    expect(growth).toBeLessThan(100 * 2 ** 20);
  });
});
