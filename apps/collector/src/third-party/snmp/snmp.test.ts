// The types of an ambient module can be reached in no other way.
// eslint-disable-next-line @typescript-eslint/triple-slash-reference
/// <reference path="./net-snmp.d.ts" />
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aggregateSteps } from '@device-metrics/domain';
import snmp, { type Agent } from 'net-snmp';
import { Device, memoryGrowth, mistakesOf, type Sent } from '../../../test/third-party/device.js';

const { ObjectType, MibProviderType, MaxAccess, SecurityLevel, AuthProtocols, PrivProtocols } = snmp;
const COMMUNITY = 'c0mmun1ty';
const AUTH = { auth: 'sha256', auth_password: 'auth-passw0rd' };
const PRIV = { priv: 'aes', priv_password: 'priv-passw0rd' };

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

function scalar(agent: Agent, oid: string, type: string, value: unknown): void {
  const name = `object ${oid}`;
  const scalarType = ObjectType[type];
  agent
    .getMib()
    .registerProvider({ name, type: MibProviderType.Scalar, oid, scalarType, maxAccess: MaxAccess['read-only'] });
  agent.getMib().setScalarValue(name, value);
}

/** A table of columns by number; rows begin with their index, of so many parts. */
function table(
  agent: Agent,
  oid: string,
  columns: Record<number, string>,
  rows: readonly (readonly unknown[])[],
  parts = 1,
): string {
  const name = `table ${oid}`;
  const maxAccess = MaxAccess['read-only'];
  const index = Array.from({ length: parts }, (_, part) => ({ number: 900 + part, name: `index ${part}` }));
  const tableColumns = [
    ...index.map((part) => ({ ...part, type: ObjectType['Integer'], maxAccess: MaxAccess['not-accessible'] })),
    ...Object.entries(columns).map(([number, type]) => {
      return { number: Number(number), name: `column ${number}`, type: ObjectType[type], maxAccess };
    }),
  ];
  const tableIndex = index.map((part) => ({ columnName: part.name }));
  agent.getMib().registerProvider({
    name,
    type: MibProviderType.Table,
    oid,
    tableColumns,
    tableIndex,
    maxAccess: MaxAccess['not-accessible'],
  });
  for (const row of rows) agent.getMib().addTableRow(name, row);
  return name;
}

const IF_ENTRY = '1.3.6.1.2.1.2.2.1';
const IF_X_ENTRY = '1.3.6.1.2.1.31.1.1.1';
const BIG = 5_000;
const BIG_TABLE = '1.3.6.1.4.1.9999.5.1';

/** A switch with two ports, a UPS, and a table of 5,000 rows. */
class Peer {
  private agent: Agent | undefined;
  private interfaces = '';
  private ifX = '';

  constructor(
    readonly port: number,
    private readonly rows = 0,
  ) {}

  start(): void {
    const agent = snmp.createAgent({ port: this.port, address: '127.0.0.1' }, () => undefined);
    this.agent = agent;
    agent.getAuthorizer().addCommunity(COMMUNITY);
    agent.getAuthorizer().addUser({
      name: 'monitor',
      level: SecurityLevel.authPriv,
      authProtocol: AuthProtocols['sha256'] ?? 0,
      authKey: AUTH.auth_password,
      privProtocol: PrivProtocols['aes'] ?? 0,
      privKey: PRIV.priv_password,
    });
    scalar(agent, '1.3.6.1.2.1.1.3', 'TimeTicks', 123_456);
    this.interfaces = table(agent, IF_ENTRY, { 2: 'OctetString', 8: 'Integer', 10: 'Counter', 14: 'Counter' }, [
      [1, 'Port 1', 1, 4_294_967_295, 3],
      [2, 'Port 2', 2, 0, 0],
    ]);
    this.ifX = table(agent, IF_X_ENTRY, { 1: 'OctetString', 6: 'Counter64', 15: 'Gauge' }, [
      [1, 'Gi0/1', Buffer.from('ffffffffffffff00', 'hex'), 1000],
      [2, 'Gi0/2', Buffer.from('0000000000000001', 'hex'), 10_000],
    ]);
    const ups = '1.3.6.1.2.1.33.1';
    scalar(agent, `${ups}.2.1`, 'Integer', 2);
    scalar(agent, `${ups}.2.3`, 'Integer', 42);
    scalar(agent, `${ups}.2.4`, 'Integer', 97);
    scalar(agent, `${ups}.2.5`, 'Integer', 273);
    scalar(agent, `${ups}.2.7`, 'Integer', 25);
    table(agent, `${ups}.4.4.1`, { 2: 'Integer', 4: 'Integer', 5: 'Integer' }, [[1, 230, 180, 21]]);
    scalar(agent, '1.3.6.1.4.1.9999.1', 'OctetString', '68.5');
    scalar(agent, '1.3.6.1.4.1.9999.2', 'OctetString', 'n/a');
    // By an index of two parts, as the agent looks through all that have the first one for each answer.
    const rows = Array.from({ length: this.rows }, (_, row) => [Math.floor(row / 50) + 1, (row % 50) + 1, `row`, row]);
    if (rows.length > 0) table(agent, BIG_TABLE, { 1: 'OctetString', 2: 'Counter' }, rows, 2);
  }

  /** Of 32 bits a number, of 64 bits hexadecimal. */
  octets(port: number, count: number | string): void {
    if (typeof count === 'number') this.agent?.getMib().setTableSingleCell(this.interfaces, 10, [port], count);
    else this.agent?.getMib().setTableSingleCell(this.ifX, 6, [port], Buffer.from(count, 'hex'));
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.agent?.close(resolve));
  }
}

describe('an SNMP device', () => {
  let peer: Peer;
  const entry = (others: object = {}): Record<string, unknown> => {
    return { protocol: 'snmp', host: '127.0.0.1', port: peer.port, community: COMMUNITY, timeout: '10s', ...others };
  };
  beforeAll(async () => {
    peer = new Peer(await freePort());
    peer.start();
  });
  afterAll(() => peer.stop());

  it('needs three lines to be read as switch and as UPS, with counters of 64 bits', async () => {
    expect(await new Device(entry()).values()).toMatchObject({
      'system.uptime s': 1234.56,
      'system.network.io{network.interface.name=Gi0/1,network.io.direction=receive} By': 2 ** 64,
      'system.network.io{network.interface.name=Gi0/2,network.io.direction=receive} By': 1,
      'system.network.errors{network.interface.name=Gi0/1,network.io.direction=receive} {error}': 3,
      'hw.network.bandwidth.limit{hw.id=Gi0/1} By/s': 125_000_000,
      'hw.network.bandwidth.limit{hw.id=Gi0/2} By/s': 1_250_000_000,
      'hw.network.up{hw.id=Gi0/1} 1': 1,
      'hw.network.up{hw.id=Gi0/2} 1': 0,
      'hw.status{hw.id=battery,hw.type=battery,hw.state=ok} 1': 1,
      'hw.status{hw.id=battery,hw.type=battery,hw.state=low} 1': 0,
      'hw.battery.time_left{hw.id=battery,hw.state=discharging,hw.battery.state=discharging} s': 2520,
      'hw.battery.charge{hw.id=battery} 1': 0.97,
      'hw.voltage{hw.id=battery} V': 27.3,
      'hw.temperature{hw.id=battery} Cel': 25,
      'hw.voltage{line=1,hw.id=output} V': 230,
      'hw.power{line=1,hw.id=output,hw.type=power_supply} W': 180,
      'hw.ups.utilization{line=1,hw.id=output} 1': 0.21,
    });
  });

  it('gives the objects and tables that are asked for, in base units', async () => {
    const device = new Device(
      entry({
        oids: [
          { oid: '1.3.6.1.4.1.9999.1.0', metric: 'hw.temperature', unit: '°F', labels: { sensor: 1 } },
          { oid: '.1.3.6.1.2.1.1.3.0', metric: 'ticks', scale: 0.01 },
          { oid: '1.3.6.1.2.1.33.1.2.1.0', metric: 'battery', states: { 2: 'good', 3: 'low' } },
        ],
        tables: [
          { labels: { port: 'index' }, columns: [{ oid: `${IF_ENTRY}.10`, metric: 'in32', unit: 'KiB' }] },
          {
            labels: { name: `${IF_X_ENTRY}.1` },
            columns: [{ oid: `${IF_X_ENTRY}.15`, metric: 'speed', unit: 'Mbit/s' }],
          },
        ],
        exclude: ['*0/2'],
      }),
    );
    expect(await device.values()).toEqual({
      'hw.temperature{sensor=1} Cel': 20.2777777777778,
      ticks: 1234.56,
      'battery{state=good}': 1,
      'battery{state=low}': 0,
      'in32{port=1} By': 4_294_967_295 * 1024,
      'in32{port=2} By': 0,
      'speed{name=Gi0/1} bit/s': 1e9,
    });
  });

  it.each([
    ['2³²', 1, [2 ** 32 - 1000, 500, 1500], [500, 1500], [50, 100]],
    ['2⁶⁴', 2, ['fffffffffffffc18', '00000000000003e8', '00000000000007d0'], [1000, 2000], [100, 100]],
  ])('whose counter wraps at %s has no negative rate', async (_at, port, counts, after, expected) => {
    const wrapping = new Device(
      entry({
        tables: [
          { labels: { port: 'index' }, columns: [{ oid: `${IF_ENTRY}.10`, metric: 'narrow' }] },
          { labels: { port: 'index' }, columns: [{ oid: `${IF_X_ENTRY}.6`, metric: 'wide' }] },
        ],
      }),
    );
    const values: number[] = [];
    for (const count of counts) {
      peer.octets(port, count);
      const name = typeof count === 'number' ? 'narrow' : 'wide';
      values.push((await wrapping.values())[`${name}{port=${port}}`] ?? NaN);
    }
    expect(values.slice(1)).toEqual(after);
    const samples = { timestamps: [0, 10_000, 20_000], values };
    const steps = aggregateSteps(samples, [0, 10_000, 20_000, 30_000], [{ kind: 'rate' }, { kind: 'increase' }]);
    // What was counted between the last reading and the wrap is lost; no less.
    expect(steps).toEqual([
      [null, ...expected],
      [null, after[0], 1000],
    ]);
  });

  it('whose counter is beyond 2⁵³ gives the nearest double, which never goes back', async () => {
    const device = new Device(entry({ oids: [{ oid: `${IF_X_ENTRY}.6.2`, metric: 'wide' }] }));
    const values: number[] = [];
    for (const hex of ['0020000000000000', '0020000000000001', '0020000000000003', '7fffffffffffffff']) {
      peer.octets(2, hex);
      values.push((await device.values())['wide'] ?? NaN);
    }
    expect(values).toEqual([2 ** 53, 2 ** 53, 2 ** 53 + 4, 2 ** 63]);
  });

  it('of version 3 is read with authentication and encryption', async () => {
    const v3 = {
      version: 3,
      user: 'monitor',
      community: undefined,
      presets: ['system'],
      retries: 0,
    };
    expect(await new Device(entry({ ...v3, ...AUTH, ...PRIV })).values()).toEqual({ 'system.uptime s': 1234.56 });
    // This agent says nothing to whom it does not know, as some devices do.
    for (const wrong of [{ auth_password: 'wrong-wrong' }, { priv_password: 'wrong-wrong' }, { user: 'nobody' }]) {
      const refused = new Device(entry({ ...v3, ...AUTH, ...PRIV, request_timeout: '200ms', ...wrong }));
      expect(await refused.failure()).toMatch(
        /no such user|^no answer from .*; a wrong user or password and a firewall/,
      );
      expect(refused.log.join()).not.toMatch(/passw0rd|wrong-wrong/);
    }
  });

  it('walks 5,000 rows in bounded time and memory', async () => {
    const big = new Peer(await freePort(), BIG);
    big.start();
    const tables = [{ labels: { row: 'index' }, columns: [{ oid: `${BIG_TABLE}.2`, metric: 'n' }] }];
    const device = new Device(entry({ port: big.port, tables }));
    let rows: Sent[] = [];
    const start = process.cpuUsage();
    const growth = await memoryGrowth(async () => (rows = await device.read()));
    const { user, system } = process.cpuUsage(start);
    await big.stop();
    expect(rows).toHaveLength(BIG);
    expect(rows.at(-1)).toMatchObject({ labels: { row: '100.50' }, value: BIG - 1 });
    expect(growth).toBeLessThan(100 * 2 ** 20);
    // The agent is in this process too, and takes most of it.
    expect((user + system) / 1e6).toBeLessThan(2);
    if (process.env['DEVICE_METRICS_LONG'] === '1') {
      console.log(
        `${BIG} rows: ${(user + system) / 1e3} ms of processor time, ${Math.round(growth / 2 ** 20)} MiB more`,
      );
    }
  });

  it('that lacks an object or says no number is told apart', async () => {
    const missing = entry({ oids: [{ oid: '1.3.6.1.4.1.9999.77.0', metric: 'm' }] });
    expect(await new Device(missing).failure()).toBe('the device has no object 1.3.6.1.4.1.9999.77.0');
    const text = entry({ oids: [{ oid: '1.3.6.1.4.1.9999.2.0', metric: 'm' }] });
    expect(await new Device(text).failure()).toBe('1.3.6.1.4.1.9999.2.0 must be a number, got "n/a"');
  });

  it('that is absent, or has another community, fails without telling it, and comes back', async () => {
    const quick = { presets: ['system'], request_timeout: '100ms', retries: 1 };
    const device = new Device(entry(quick));
    await peer.stop();
    expect(await device.failure()).toBe(
      `no answer from 127.0.0.1:${peer.port}; a wrong community and a firewall look the same`,
    );
    peer.start();
    expect(await device.values()).toEqual({ 'system.uptime s': 1234.56 });
    expect(device.log.at(-1)).toBe('rack works again');
    const wrong = new Device(entry({ ...quick, community: 'wr0ng-c0mmunity' }));
    expect(`${await wrong.failure()} ${wrong.log.join()}`).not.toContain('wr0ng');
  });

  it('says what is wrong in its configuration, without secrets', () => {
    const mistakes = mistakesOf({
      protocol: 'snmp',
      host: '127.0.0.1',
      version: 3,
      user: 'u',
      priv_password: 's3cr3t',
      presets: ['printer'],
      oids: [{ oid: 'sysUpTime.0', metric: 'm' }],
      tables: [{ columns: [] }],
    });
    expect(mistakes).toEqual([
      'third_party[0].priv_password: must have at least 8 characters, as RFC 3414 demands',
      'third_party[0].auth_password: is missing; a priv_password needs one',
      'third_party[0].oids[0].oid: must be an OID in numbers, as in 1.3.6.1.2.1.1.3.0, got "sysUpTime.0"',
      'third_party[0].tables[0].columns: must have at least one column',
      'third_party[0].tables[0].labels: must tell the rows apart: a label with the OID of a column, or with the word index',
      'third_party[0].presets: may have system, interfaces, ups, got "printer"',
    ]);
    const des = { protocol: 'snmp', host: 'h', version: 3, user: 'u', ...AUTH, priv: 'des', priv_password: '12345678' };
    expect(mistakesOf(des)).toEqual([expect.stringContaining('third_party[0].priv: cannot be des, which OpenSSL 3')]);
  });
});

describe('a UDP peer that is no SNMP agent', () => {
  let socket: Socket;
  let answer: (from: RemoteInfo, request: Buffer) => void = () => undefined;
  beforeAll(async () => {
    socket = createSocket('udp4', (request, from) => answer(from, request)).bind(0, '127.0.0.1');
    await once(socket, 'listening');
  });
  afterAll(() => void socket.close());
  const device = (others: object = {}): Device => {
    const { port } = socket.address();
    return new Device({ protocol: 'snmp', host: '127.0.0.1', port, request_timeout: '150ms', retries: 0, ...others });
  };

  it('hangs: the source fails in time', async () => {
    answer = () => undefined;
    expect(await device().failure()).toContain('no answer from 127.0.0.1');
    expect(await device({ timeout: '50ms' }).failure()).toBe('no answer within 50 ms');
  });

  it('sends garbage: the reason says so', async () => {
    answer = ({ port }) => socket.send('HTTP/1.1 400 Bad Request\r\n\r\n', port, '127.0.0.1');
    expect(await device().failure()).toContain('what came is no SNMP');
  });

  it('sends 100 MB: memory stays bounded', async () => {
    const datagram = Buffer.alloc(50_000, 'x');
    answer = ({ port }) => {
      for (let sent = 0; sent < 100e6; sent += datagram.length)
        socket.send(datagram, port, '127.0.0.1', () => undefined);
    };
    const growth = await memoryGrowth(async () => expect(await device().failure()).toContain('no answer'));
    expect(growth).toBeLessThan(400 * 2 ** 20);
  });

  it.each([
    [1, /^the device has no auth_password or priv_password for this user/],
    [3, /^the device has no such user$/],
    [5, /^auth_password is wrong, or auth is another one/],
    [6, /^priv_password is wrong, or priv is another one/],
  ])('says of a user that it has the problem %d: the reason says what to do', async (problem, reason) => {
    let requests = 0;
    // As net-snmp 5.9 does: the first question is who the device is.
    answer = ({ port }, request) => {
      requests += 1;
      socket.send(report(request, requests === 1 ? 4 : problem), port, '127.0.0.1');
    };
    const v3 = { version: 3, user: 'monitor', ...AUTH, ...PRIV, presets: ['system'], request_timeout: '2s' };
    expect(await device(v3).failure()).toMatch(reason);
  });

  it('never ends its table: the source stops', async () => {
    answer = ({ port }, request) => socket.send(nextRow(request), port, '127.0.0.1');
    const endless = { labels: { row: 'index' }, columns: [{ oid: '1.3.6.1.4.1.9', metric: 'm' }] };
    expect(await device({ tables: [endless], timeout: '20s' }).failure()).toMatch(/goes in circles/);
  });
});

/** The request as its own answer: every object is the one that was asked for, again. */
function nextRow(request: Buffer): Buffer {
  const answer = Buffer.from(request);
  const pdu = answer.indexOf(0xa5, 2);
  answer[pdu] = 0xa2;
  const ids = answer.indexOf(Buffer.from([0x02, 0x01, 0x00, 0x02, 0x01]), pdu);
  answer[ids + 5] = 0;
  return answer;
}

/** One of the problems that RFC 3414 counts (usmStats), as the answer to a request. */
function report(request: Buffer, problem: number): Buffer {
  const header = request.indexOf(Buffer.from([0x02, 0x01, 0x03, 0x30])) + 5;
  const id = request.subarray(header, header + 2 + (request[header + 1] ?? 0));
  const [engine, empty, zero] = [ber(0x04, Buffer.from('8000000001020304', 'hex')), ber(0x04), ber(0x02, [0])];
  const counter = ber(0x30, ber(0x06, [0x2b, 6, 1, 6, 3, 15, 1, 1, problem, 0]), ber(0x41, [1]));
  return ber(
    0x30,
    ber(0x02, [3]),
    ber(0x30, id, ber(0x02, [0x7f, 0xff]), ber(0x04, [0]), ber(0x02, [3])),
    ber(0x04, ber(0x30, engine, ber(0x02, [1]), ber(0x02, [9]), empty, empty, empty)),
    ber(0x30, engine, empty, ber(0xa8, zero, zero, zero, ber(0x30, counter))),
  );
}

function ber(tag: number, ...parts: (Buffer | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}
