// The types of an ambient module can be reached in no other way.
// eslint-disable-next-line @typescript-eslint/triple-slash-reference
/// <reference path="./net-snmp.d.ts" />
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { aggregateSteps } from '@device-metrics/domain';
import snmp, { type Agent } from 'net-snmp';
import { freeUdpPort } from '../../../../../libs/storage/src/testing/free-port.mjs';
import { until } from '../../../test/harness.js';
import { Device, memoryGrowth, mistakesOf, type Sent } from '../../../test/third-party/device.js';

const { ObjectType, MibProviderType, MaxAccess, SecurityLevel, AuthProtocols, PrivProtocols } = snmp;
const COMMUNITY = 'c0mmun1ty';
const AUTH = { auth: 'sha256', auth_password: 'auth-passw0rd' };
const PRIV = { priv: 'aes', priv_password: 'priv-passw0rd' };

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
const ENGINE_TIME = '1.3.6.1.6.3.10.2.1.3.0';
const HR_UPTIME = '1.3.6.1.2.1.25.1.1.0';
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
    return { protocol: 'snmp', host: '127.0.0.1', port: peer.port, community: COMMUNITY, timeout: '120s', ...others };
  };
  beforeAll(async () => {
    peer = new Peer(await freeUdpPort());
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
      'hw.status{hw.id=battery,hw.type=battery,hw.state=low_battery} 1': 0,
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

  it('walks 5,000 rows in bounded memory', async () => {
    const big = new Peer(await freeUdpPort(), BIG);
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
    if (process.env['DEVICE_METRICS_LONG'] === '1') {
      // The agent is in this process too, and takes most of it.
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
    const quick = { presets: ['system'], request_timeout: '400ms', retries: 1 };
    const device = new Device(entry(quick));
    await peer.stop();
    expect(await device.failure()).toBe(
      `no answer from 127.0.0.1:${peer.port}; a wrong community and a firewall look the same`,
    );
    peer.start();
    let values = {};
    await until(
      async () => (values = await device.values().catch(() => ({}))) && device.log.at(-1) === 'rack works again',
    );
    expect(values).toEqual({ 'system.uptime s': 1234.56 });
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

type Value = Buffer | undefined;
const integer = (value: number): Buffer => ber(0x02, [value >> 24, value >> 16, value >> 8, value]);
const text = (value: string): Buffer => ber(0x04, Buffer.from(value, 'latin1'));
const gauge = (value: number): Buffer => ber(0x42, [0, value >>> 24, value >>> 16, value >>> 8, value]);
const counter64 = (value: number): Buffer => ber(0x46, [0, 0, 0, 0, value >> 24, value >> 16, value >> 8, value]);

/** An agent that has the objects of a test, and the faults. */
class Agent2c {
  readonly socket = createSocket('udp4', (request, from) => this.answer(request, from));
  /** How many objects fit into an answer; more are tooBig. */
  room = Infinity;
  /** A request for one of these is answered with genErr as a whole. */
  readonly cursed = new Set<string>();
  /** A request for one of these is never answered. */
  readonly silent = new Set<string>();
  requests = 0;
  /** What comes before the first answer. */
  stray: Buffer | undefined;

  constructor(readonly objects: Readonly<Record<string, Value>>) {}

  async start(): Promise<this> {
    this.socket.bind(0, '127.0.0.1');
    await once(this.socket, 'listening');
    return this;
  }

  device(others: object): Device {
    const { port } = this.socket.address();
    const entry = { protocol: 'snmp', host: '127.0.0.1', port, request_timeout: '20s', retries: 0, timeout: '60s' };
    return new Device({ ...entry, ...others });
  }

  private answer(request: Buffer, { port }: RemoteInfo): void {
    this.requests += 1;
    const [version, community, pdu] = elements(elements(request)[0]?.content ?? Buffer.alloc(0));
    const [id, , repetitions, list] = elements(pdu?.content ?? Buffer.alloc(0));
    const asked = elements(list?.content ?? Buffer.alloc(0)).map(({ content }) =>
      oidText(elements(content)[0]?.content),
    );
    if (asked.some((oid) => this.silent.has(oid))) return;
    const found =
      pdu?.tag === 0xa5
        ? this.after(asked[0] ?? '', repetitions?.content.readUIntBE(0, repetitions.content.length) ?? 1)
        : asked;
    const error = found.length > this.room ? 1 : asked.some((oid) => this.cursed.has(oid)) ? 5 : 0;
    const varbinds = (error === 0 ? found : []).map((oid) => {
      return ber(
        0x30,
        ber(0x06, oidBytes(oid)),
        this.objects[oid] ?? Buffer.from([pdu?.tag === 0xa5 ? 0x82 : 0x80, 0]),
      );
    });
    const answer = ber(0xa2, ber(0x02, id?.content ?? []), ber(0x02, [error]), ber(0x02, [0]), ber(0x30, ...varbinds));
    const message = ber(0x30, ber(0x02, version?.content ?? []), ber(0x04, community?.content ?? []), answer);
    if (this.stray) this.socket.send(this.stray, port, '127.0.0.1');
    this.stray = undefined;
    this.socket.send(message, port, '127.0.0.1');
  }

  private after(oid: string, count: number): string[] {
    const later = Object.keys(this.objects).filter((other) => compareOids(other, oid) > 0);
    return [...later.sort(compareOids), '1.3.9'].slice(0, count);
  }
}

describe('of a device that gives some objects only', () => {
  const agents: Agent2c[] = [];
  afterAll(() => agents.forEach(({ socket }) => socket.close()));
  const agentWith = async (objects: Readonly<Record<string, Value>>): Promise<Agent2c> => {
    const agent = await new Agent2c(objects).start();
    agents.push(agent);
    return agent;
  };
  const oids = (...names: string[]): object => ({
    oids: names.map((oid) => ({ oid, metric: 'm', labels: { oid } })),
  });
  const OWN = '1.3.6.1.4.1.9999';

  it('an absent object and a text cost none of the others', async () => {
    const agent = await agentWith({
      [`${OWN}.1.0`]: integer(5),
      [`${OWN}.3.0`]: text('N/A'),
      [`${OWN}.4.0`]: text('7'),
    });
    const device = agent.device(oids(`${OWN}.1.0`, `${OWN}.2.0`, `${OWN}.3.0`, `${OWN}.4.0`));
    for (let run = 0; run < 2; run += 1) {
      expect(await device.values()).toEqual({ [`m{oid=${OWN}.1.0}`]: 5, [`m{oid=${OWN}.4.0}`]: 7 });
    }
    expect(device.rejected).toEqual([
      `${OWN}.2.0: the device has no such object`,
      `${OWN}.3.0: must be a number, got "N/A"`,
    ]);
    expect(device.log).toEqual([
      `rack: cannot read ${OWN}.2.0: the device has no such object`,
      `rack: cannot read ${OWN}.3.0: must be a number, got "N/A"`,
    ]);
  });

  it('a row that is no number, and a column that is not there, cost no other', async () => {
    const agent = await agentWith({
      [`${OWN}.1.1.1`]: integer(5),
      [`${OWN}.1.1.2`]: text('N/A'),
      [`${OWN}.1.1.3`]: integer(7),
    });
    const columns = [1, 2].map((column) => ({ oid: `${OWN}.1.${column}`, metric: `m${column}` }));
    const device = agent.device({ tables: [{ labels: { row: 'index' }, columns }] });
    expect(await device.values()).toEqual({ 'm1{row=1}': 5, 'm1{row=3}': 7 });
    expect(device.rejected).toEqual([
      `${OWN}.1.1.2: must be a number, got "N/A"`,
      `${OWN}.1.2: the device has no rows of it`,
    ]);
  });

  it('a name of several lines, or of Latin-1, is a text, and an address of tabs and line feeds stays one', async () => {
    const agent = await agentWith({
      [`${OWN}.1.1.1`]: integer(1),
      [`${OWN}.1.1.2`]: integer(2),
      [`${OWN}.1.1.3`]: integer(3),
      [`${OWN}.1.2.1`]: text('uplink to\r\nHall 2\r\n'),
      [`${OWN}.1.2.2`]: text('ab\tc\r\n'),
      [`${OWN}.1.2.3`]: text('Büro 2. Stock\0'),
    });
    const columns = [{ oid: `${OWN}.1.1`, metric: 'm' }];
    const device = agent.device({ tables: [{ labels: { port: `${OWN}.1.2` }, columns }] });
    expect(await device.values()).toEqual({
      'm{port=uplink to Hall 2}': 1,
      'm{port=61:62:09:63:0d:0a}': 2,
      'm{port=Büro 2. Stock}': 3,
    });
  });

  it('a value that breaks the rules of SNMP costs no other, and of a column only what follows it', async () => {
    // An integer of no bytes, as some devices send it for none, and UInteger32, which SNMPv2 has taken back.
    const wrong = { 7: ber(0x02), 11: ber(0x47, [5]) };
    const names = Array.from({ length: 30 }, (_, index) => `${OWN}.1.${index + 1}.0`);
    const rows = Array.from({ length: 9 }, (_, row) => [`${OWN}.2.1.${row + 1}`, integer(row)] as const);
    const agent = await agentWith({
      ...Object.fromEntries(names.map((oid, index) => [oid, integer(index)])),
      ...Object.fromEntries(Object.entries(wrong).map(([index, value]) => [`${OWN}.1.${index}.0`, value])),
      ...Object.fromEntries(rows),
      [`${OWN}.2.1.6`]: ber(0x02),
      [`${OWN}.2.2.1`]: integer(1),
    });
    const columns = [1, 2].map((column) => ({ oid: `${OWN}.2.${column}`, metric: `column${column}` }));
    const device = agent.device({ ...oids(...names), tables: [{ labels: { row: 'index' }, columns }] });
    const values = await device.values();
    expect(Object.keys(values)).toHaveLength(28 + 5 + 1);
    expect(values).toMatchObject({ 'column1{row=5}': 4, 'column2{row=1}': 1, [`m{oid=${OWN}.1.30.0}`]: 29 });
    const reason = 'what the device answers breaks the rules of SNMP';
    expect(device.rejected).toEqual([
      `${OWN}.1.7.0: ${reason}: Zero-length integer`,
      `${OWN}.1.11.0: ${reason}: Unknown type '71' in response`,
      `${OWN}.2.1: ${reason}: Zero-length integer`,
    ]);
    expect(await agent.device(oids(`${OWN}.1.7.0`)).failure()).toBe(`${OWN}.1.7.0: ${reason}: Zero-length integer`);
  });

  it('what comes from somebody else beside an answer costs nothing', async () => {
    const agent = await agentWith({ [`${OWN}.1.0`]: integer(5) });
    agent.stray = Buffer.from('no SNMP');
    const device = agent.device(oids(`${OWN}.1.0`));
    expect(await device.values()).toEqual({ [`m{oid=${OWN}.1.0}`]: 5 });
    expect(device.rejected).toEqual([]);
  });

  it('a request that is refused as a whole is halved until the culprit stands alone', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `${OWN}.${index + 1}.0`);
    const agent = await agentWith(Object.fromEntries(names.map((oid, index) => [oid, integer(index)])));
    agent.cursed.add(`${OWN}.7.0`);
    const device = agent.device(oids(...names));
    expect(await device.read()).toHaveLength(19);
    expect(device.rejected).toEqual([`${OWN}.7.0: the device says that it cannot give it (genErr)`]);
  });

  it('an answer that is too big is asked for in halves: single objects, and rows', async () => {
    const rows = Object.fromEntries(Array.from({ length: 30 }, (_, row) => [`${OWN}.9.1.${row + 1}`, integer(row)]));
    const names = Array.from({ length: 20 }, (_, index) => `${OWN}.${10 + index}.0`);
    const agent = await agentWith({ ...rows, ...Object.fromEntries(names.map((oid, index) => [oid, integer(index)])) });
    agent.room = 3;
    const columns = [{ oid: `${OWN}.9.1`, metric: 'rows' }];
    const device = agent.device({ ...oids(...names), tables: [{ labels: { row: 'index' }, columns }] });
    expect(await device.read()).toHaveLength(50);
    expect(device.rejected).toEqual([]);
    agent.room = 0;
    expect(await device.failure()).toMatch(/the answer is too big for the device/);
  });

  it('a column that hangs or fails costs none of those before and after it', async () => {
    const agent = await agentWith({
      [`${OWN}.1.1.1`]: integer(1),
      [`${OWN}.1.2.1`]: integer(2),
      [`${OWN}.1.3.1`]: integer(3),
      [`${OWN}.1.4.1`]: integer(4),
    });
    agent.silent.add(`${OWN}.1.2`);
    agent.cursed.add(`${OWN}.1.3`);
    const columns = [1, 2, 3, 4].map((column) => ({ oid: `${OWN}.1.${column}`, metric: `m${column}` }));
    const device = agent.device({ tables: [{ labels: { row: 'index' }, columns }] });
    expect(await device.values()).toEqual({ 'm1{row=1}': 1, 'm4{row=1}': 4 });
    expect(device.rejected).toEqual([
      expect.stringMatching(/^1\.3\.6\.1\.4\.1\.9999\.1\.2: no answer from 127\.0\.0\.1/),
      `${OWN}.1.3: the device says that it cannot give it (genErr)`,
    ]);
  });

  it('counters of 64 bits are taken row by row, those of 32 bits for the other rows; speeds likewise', async () => {
    const agent = await agentWith({
      [`${IF_ENTRY}.2.1`]: text('Port 1'),
      [`${IF_ENTRY}.2.2`]: text('Port 2'),
      [`${IF_ENTRY}.2.3`]: text('Port 3'),
      [`${IF_ENTRY}.5.1`]: gauge(4_294_967_295),
      [`${IF_ENTRY}.5.2`]: gauge(100_000_000),
      [`${IF_ENTRY}.5.3`]: gauge(64_000),
      [`${IF_ENTRY}.10.1`]: gauge(111),
      [`${IF_ENTRY}.10.2`]: gauge(222),
      [`${IF_ENTRY}.10.3`]: gauge(333),
      // The second port has an empty name, the third none; both have no counter of 64 bits.
      [`${IF_X_ENTRY}.1.1`]: text('Gi0/1'),
      [`${IF_X_ENTRY}.1.2`]: text(''),
      [`${IF_X_ENTRY}.6.1`]: counter64(1_000_000),
      [`${IF_X_ENTRY}.15.1`]: gauge(10_000),
      [`${IF_X_ENTRY}.15.3`]: gauge(0),
    });
    const device = agent.device({ presets: ['interfaces'] });
    expect(await device.values()).toEqual({
      'system.network.io{network.interface.name=Gi0/1,network.io.direction=receive} By': 1_000_000,
      'system.network.io{network.interface.name=Port 2,network.io.direction=receive} By': 222,
      'system.network.io{network.interface.name=Port 3,network.io.direction=receive} By': 333,
      'hw.network.bandwidth.limit{hw.id=Gi0/1} By/s': 1_250_000_000,
      'hw.network.bandwidth.limit{hw.id=Port 2} By/s': 12_500_000,
      'hw.network.bandwidth.limit{hw.id=Port 3} By/s': 8_000,
    });
    expect(device.rejected).toEqual([]);
  });

  it.each([
    [
      'the engine, which a wrap of 497 days does not reach',
      { [ENGINE_TIME]: 50_000_000, [HR_UPTIME]: 1_000 },
      50_000_000,
    ],
    ['the system, where the agent was started later', { [ENGINE_TIME]: 60, [HR_UPTIME]: 8_640_000 }, 86_400],
    ['the engine alone', { [ENGINE_TIME]: 7_200 }, 7_200],
    ['the agent, where there is nothing else', {}, 12.34],
  ])('uptime is that of %s', async (_whose, times, uptime) => {
    const objects = Object.entries({ '1.3.6.1.2.1.1.3.0': 1_234, ...times }).map(([oid, value]) => {
      return [
        oid,
        oid === ENGINE_TIME ? integer(value) : ber(0x43, [0, value >>> 24, value >>> 16, value >>> 8, value]),
      ];
    });
    const agent = await agentWith(Object.fromEntries(objects) as Record<string, Buffer>);
    expect(await agent.device({ presets: ['system'] }).values()).toEqual({ 'system.uptime s': uptime });
  });

  it('floats in an Opaque are numbers', async () => {
    const opaque = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const agent = await agentWith({
      // As Synology sends 9.0.
      [`${OWN}.1.0`]: opaque('44 07 9f 78 04 41 10 00 00'),
      [`${OWN}.2.0`]: opaque('44 0b 9f 79 08 40 35 4c cc cc cc cc cd'),
      [`${OWN}.3.0`]: opaque('44 07 9f 78 04 41 aa 66 66'),
      [`${OWN}.4.0`]: opaque('44 04 9f 7a 01 ff'),
      [`${OWN}.5.0`]: opaque('44 07 9f 78 04 7f c0 00 00'),
      [`${OWN}.6.0`]: opaque('44 02 04 00'),
    });
    const device = agent.device(oids(...[1, 2, 3, 4, 5, 6].map((number) => `${OWN}.${number}.0`)));
    expect(Object.values(await device.values())).toEqual([9, 21.3, 21.3, -1]);
    expect(device.rejected).toEqual([
      `${OWN}.5.0: must be a number, got NaN`,
      `${OWN}.6.0: must be a number, got Opaque 0400`,
    ]);
  });

  it('numbers are found in texts and bytes where that is asked for', async () => {
    const texts = ['23.5 C', 'temp1: -4', '21,5 °C', '1,234 rpm', 'N/A', '\x01\x02', '\x01\x02', ''];
    const agent = await agentWith(
      Object.fromEntries(texts.map((value, index) => [`${OWN}.${index + 1}.0`, text(value)])),
    );
    const as = [
      'number-in-text',
      'number-in-text',
      'number-in-text',
      'number-in-text',
      'number-in-text',
      'integer',
      'integer-little-endian',
      'integer',
    ];
    const device = agent.device({
      oids: as.map((how, index) => ({ oid: `${OWN}.${index + 1}.0`, metric: `m${index + 1}`, as: how })),
    });
    expect(await device.values()).toEqual({ m1: 23.5, m2: -4, m3: 21.5, m6: 258, m7: 513 });
    expect(device.rejected).toEqual([
      `${OWN}.4.0: may be a thousand or a fraction, got "1,234 rpm"`,
      `${OWN}.5.0: must have a number in it, got "N/A"`,
      `${OWN}.8.0: must be 1 to 8 bytes of an integer, got 0`,
    ]);
  });

  it('numbers that mean "no value" are left out', async () => {
    const agent = await agentWith({ [`${OWN}.1.0`]: integer(-9999), [`${OWN}.2.0`]: integer(4) });
    const none = [-9999, 65_535];
    const device = agent.device({
      oids: [1, 2].map((n) => ({ oid: `${OWN}.${n}.0`, metric: `m${n}`, none, scale: 0.1 })),
    });
    expect(await device.values()).toEqual({ m2: 0.4 });
    expect(device.rejected).toEqual([]);
    expect(
      mistakesOf({ protocol: 'snmp', host: 'h', oids: [{ oid: '1.3.1', metric: 'm', none: '-9999', as: 'hex' }] }),
    ).toEqual([
      'third_party[0].oids[0].none: must be a list of numbers, got "-9999"',
      'third_party[0].oids[0].as: must be one of number-in-text, integer, integer-little-endian, got "hex"',
    ]);
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
    return new Device({
      protocol: 'snmp',
      host: '127.0.0.1',
      port,
      request_timeout: '20s',
      retries: 0,
      timeout: '60s',
      ...others,
    });
  };

  it('hangs: the source fails in time', async () => {
    answer = () => undefined;
    expect(await device({ request_timeout: '150ms' }).failure()).toContain('no answer from 127.0.0.1');
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
    const growth = await memoryGrowth(async () =>
      expect(await device({ request_timeout: '150ms' }).failure()).toContain('no answer'),
    );
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
    const v3 = { version: 3, user: 'monitor', ...AUTH, ...PRIV, presets: ['system'] };
    expect(await device(v3).failure()).toMatch(reason);
  });

  it('never ends its table: the source stops', async () => {
    answer = ({ port }, request) => socket.send(nextRow(request), port, '127.0.0.1');
    const endless = { labels: { row: 'index' }, columns: [{ oid: '1.3.6.1.4.1.9', metric: 'm' }] };
    expect(await device({ tables: [endless] }).failure()).toMatch(/goes in circles/);
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
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

function elements(bytes: Buffer): Element[] {
  const all: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const [tag = 0, first = 0] = bytes.subarray(at);
    const more = first < 128 ? 0 : first - 128;
    const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
    const start = at + 2 + more;
    all.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return all;
}

function oidText(bytes: Buffer = Buffer.alloc(0)): string {
  const numbers: number[] = [];
  let number = 0;
  for (const byte of bytes) {
    number = number * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(number);
      number = 0;
    }
  }
  const [head = 0, ...rest] = numbers;
  return [Math.floor(head / 40), head % 40, ...rest].join('.');
}

function oidBytes(oid: string): number[] {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  return [first * 40 + second, ...rest].flatMap((number) => {
    const bytes = [number % 128];
    for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
      bytes.unshift(128 + (left % 128));
    return bytes;
  });
}

function compareOids(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)];
  for (let index = 0; index < Math.min(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
