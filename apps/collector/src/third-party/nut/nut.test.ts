import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { certificate, key } from '../../../test/third-party/certificate.js';
import { Device, flood, memoryGrowth, mistakesOf, TcpPeer } from '../../../test/third-party/device.js';
import { parseVariables } from './upsd.js';

/** As `upsc` shows an APC Back-UPS. */
const APC: Record<string, string> = {
  'battery.charge': '100',
  'battery.runtime': '2310',
  'battery.temperature': '29.2',
  'battery.voltage': '27.3',
  'device.model': 'Back-UPS "RS" 900G',
  'input.voltage': '232.0',
  'ups.load': '11',
  'ups.realpower.nominal': '540',
  'ups.status': 'OL CHRG',
  'ambient.humidity': '45.5',
};

const OTHER_STATES = [
  'on_battery',
  'low_battery',
  'replace_battery',
  'discharging',
  'bypass',
  'overloaded',
  'off',
].concat(['high_battery', 'calibration', 'test', 'trim', 'boost', 'eco', 'alarm', 'forced_shutdown']);
/** Readings of `APC`. */
const APC_READINGS = 6 + 2 + OTHER_STATES.length;

/** A small upsd: the part of its protocol that reads. */
const upsd =
  (units: Record<string, Record<string, string>>, password?: string) =>
  (socket: Socket): void => {
    let allowed = password === undefined;
    let rest = '';
    socket.setEncoding('utf8').on('data', (text) => {
      const lines = `${rest}${text as unknown as string}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const [command, what = '', ups = ''] = line.split(' ');
        const variables = units[ups];
        if (command === 'USERNAME') socket.write('OK\n');
        else if (command === 'PASSWORD') {
          allowed = what === password;
          socket.write('OK\n');
        } else if (!allowed) socket.write('ERR ACCESS-DENIED\n');
        else if (line === 'LIST UPS') {
          const names = Object.keys(units).map((name) => `UPS ${name} "A description"\n`);
          socket.write(`BEGIN LIST UPS\n${names.join('')}END LIST UPS\n`);
        } else if (what === 'VAR' && variables) {
          const quoted = Object.entries(variables).map(([name, value]) => {
            return `VAR ${ups} ${name} "${value.replace(/["\\]/g, '\\$&')}"\n`;
          });
          socket.write(`BEGIN LIST VAR ${ups}\n${quoted.join('')}END LIST VAR ${ups}\n`);
        } else if (what === 'VAR') socket.write('ERR UNKNOWN-UPS\n');
        else socket.end();
      }
    });
  };

describe('an upsd', () => {
  const peer = new TcpPeer(() => undefined);
  const device = (others: object = {}): Device =>
    new Device({ protocol: 'nut', port: peer.port, timeout: '60s', ...others });
  beforeAll(() => peer.start());
  beforeEach(() => {
    peer.onConnection = upsd({ apc: APC });
  });
  afterAll(() => peer.stop());

  it('gives its UPS in base units, and its status as states', async () => {
    expect(await device({ host: '127.0.0.1', ups: 'apc' }).values()).toEqual({
      'hw.battery.charge{hw.id=battery} 1': 1,
      'hw.battery.time_left{hw.id=battery} s': 2310,
      'hw.voltage{hw.id=battery} V': 27.3,
      'hw.temperature{hw.id=battery} Cel': 29.2,
      'hw.voltage{hw.id=input} V': 232,
      'hw.ups.utilization{hw.id=output} 1': 0.11,
      'hw.status{hw.id=ups,hw.type=power_supply,hw.state=online} 1': 1,
      'hw.status{hw.id=ups,hw.type=power_supply,hw.state=charging} 1': 1,
      ...Object.fromEntries(
        OTHER_STATES.map((state) => {
          return [`hw.status{hw.id=ups,hw.type=power_supply,hw.state=${state}} 1`, 0];
        }),
      ),
    });
  });

  it('gives all its UPSs with their names, and further variables', async () => {
    peer.onConnection = upsd({ apc: APC, eaton: { 'battery.charge': '50', 'ups.temperature': '80' } });
    const values = await device({
      variables: [
        { variable: 'ambient.humidity', metric: 'rack.humidity', unit: '%' },
        { variable: 'ups.temperature', metric: 'hw.temperature', unit: '°F' },
      ],
    }).values();
    expect(values).toMatchObject({
      'hw.battery.charge{hw.id=apc.battery,hw.parent=apc} 1': 1,
      'hw.battery.charge{hw.id=eaton.battery,hw.parent=eaton} 1': 0.5,
      'rack.humidity{hw.parent=apc} 1': 0.455,
      'hw.temperature{hw.parent=eaton} Cel': 26.6666666666667,
    });
  });

  it('says every status word of NUT, and those of a driver of its own from when they come', async () => {
    const ups = device({ host: '127.0.0.1', ups: 'apc' });
    const statesOf = async (status: string): Promise<string[]> => {
      peer.onConnection = upsd({ apc: { 'ups.status': status } });
      const readings = await ups.read();
      return readings.flatMap(({ labels, value }) => (value === 1 ? [labels?.['hw.state'] ?? ''] : []));
    };
    expect(await statesOf('FSD OB LB')).toEqual(['on_battery', 'low_battery', 'forced_shutdown']);
    expect(await statesOf('ALARM OL TRIM CAL')).toEqual(['online', 'calibration', 'trim', 'alarm']);
    expect(await statesOf(' OL BOOST  TEST HB ')).toEqual(['online', 'high_battery', 'test', 'boost']);
    expect(await statesOf('OL OVERHEAT')).toEqual(['online', 'overheat']);
    peer.onConnection = upsd({ apc: { 'ups.status': 'OL' } });
    expect((await ups.read()).at(-1)).toMatchObject({ labels: { 'hw.state': 'overheat' }, value: 0 });
  });

  it('with a variable that is no number gives all the others, and names that one', async () => {
    peer.onConnection = upsd({ apc: { ...APC, 'input.voltage': 'N/A', 'battery.runtime': '' } });
    const ups = device({ ups: 'apc' });
    expect(await ups.read()).toHaveLength(APC_READINGS - 2);
    expect(ups.rejected).toEqual([
      'battery.runtime: must be a number, got ""',
      'input.voltage: must be a number, got "N/A"',
    ]);
  });

  it('of which one driver is down gives the other UPSs', async () => {
    const answer = upsd({ a: APC, b: APC, c: APC, d: APC });
    peer.onConnection = (socket): void => {
      const on = socket.on.bind(socket);
      socket.on = ((event: string, listener: (text: string) => void) =>
        on(event, (text: string) => {
          if (event === 'data' && String(text).includes('VAR c'))
            return void socket.write('ERR DRIVER-NOT-CONNECTED\n');
          listener(text);
        })) as typeof socket.on;
      answer(socket);
    };
    const all = device();
    expect(await all.read()).toHaveLength(3 * APC_READINGS);
    expect(all.rejected).toEqual(['c: upsd says DRIVER-NOT-CONNECTED to VAR c: its driver does not run']);
  });

  it('that refuses says why, without the password', async () => {
    expect(await device({ ups: 'nope' }).failure()).toBe(
      'upsd says UNKNOWN-UPS to VAR nope: it has no UPS of this name',
    );
    peer.onConnection = upsd({ apc: APC }, 'r1ghtpass');
    const wrong = device({ username: 'monuser', password: 'wr0ngpass' });
    expect(await wrong.failure()).toContain('upsd says ACCESS-DENIED');
    expect(wrong.log.join()).not.toContain('wr0ngpass');
    expect(await device({ username: 'monuser', password: 'r1ghtpass' }).read()).not.toEqual([]);
    // What echoes the password shows it neither.
    peer.onConnection = (socket) => void socket.on('data', (text: Buffer) => socket.write(text.toString()));
    const echoed = await device({ username: 'monuser', password: 'wr0ngpass' }).failure();
    expect(echoed).toBe('USERNAME was answered with "USERNAME monuser"');
  });

  it('that is absent, hangs, cuts off or sends garbage fails with the reason, and comes back', async () => {
    const ups = device();
    await peer.stop();
    expect(await ups.failure()).toMatch(/ECONNREFUSED/);
    await peer.start();
    peer.onConnection = (): void => undefined;
    expect(await device({ timeout: '300ms' }).failure()).toBe('no answer within 300 ms');
    peer.onConnection = (socket): void => void socket.on('data', () => socket.destroy());
    expect(await ups.failure()).toBe('upsd has cut the connection');
    peer.onConnection = (socket): void => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await ups.failure()).toBe('upsd should list, but says "HTTP/1.1 400 Bad Request"');
    peer.onConnection = upsd({ apc: { 'battery.charge': 'full' } });
    expect(await ups.failure()).toBe('battery.charge must be a number, got "full"');
    peer.onConnection = upsd({ apc: APC });
    expect(await ups.read()).toHaveLength(APC_READINGS);
    expect(ups.log.at(-1)).toBe('rack works again');
  });

  /** Encrypted from STARTTLS on; what `then` does with the encrypted connection comes after that. */
  const withTls =
    (then: (socket: Socket) => void, plain = '') =>
    (socket: Socket): void => {
      socket.once('data', (request: Buffer) => {
        if (request.toString() !== 'STARTTLS\n') return void socket.destroy();
        socket.write(`OK STARTTLS\n${plain}`);
        const secure = new TLSSocket(socket, { isServer: true, cert: certificate, key });
        secure.on('error', () => undefined);
        then(secure);
      });
    };

  it('is read with TLS where its certificate is known, or need not be', async () => {
    peer.onConnection = withTls(upsd({ apc: APC }, 'r1ghtpass'));
    const login = { username: 'monuser', password: 'r1ghtpass' };
    expect(await device({ ...login, tls: true, ca: certificate }).read()).toHaveLength(APC_READINGS);
    expect(await device({ ...login, host: 'localhost', ca: certificate }).read()).toHaveLength(APC_READINGS);
    expect(await device({ ...login, insecure: true }).read()).toHaveLength(APC_READINGS);
    expect(await device({ ...login, tls: true }).failure()).toBe('no TLS: self-signed certificate');
    expect(await device({ ...login }).failure()).toBe('upsd has cut the connection');
  });

  it('that has no TLS, or hangs, sends garbage or 100 MB in it, fails with the reason', async () => {
    const ups = device({ tls: true, ca: certificate });
    peer.onConnection = (socket): void => void socket.once('data', () => socket.write('ERR FEATURE-NOT-CONFIGURED\n'));
    expect(await ups.failure()).toMatch(/^upsd says FEATURE-NOT-CONFIGURED to STARTTLS: it has no certificate/);
    peer.onConnection = (socket): void => void socket.once('data', () => socket.write('OK STARTTLS\n'));
    expect(await device({ tls: true, ca: certificate, timeout: '300ms' }).failure()).toBe('no answer within 300 ms');
    peer.onConnection = withTls((socket) => void socket.write('HTTP/1.1 400 Bad Request\n'));
    expect(await ups.failure()).toBe('upsd should list, but says "HTTP/1.1 400 Bad Request"');
    peer.onConnection = withTls((socket) => flood(socket, 100e6));
    expect(await device({ tls: true, ca: certificate }).failure()).toContain('longer than 1048576 bytes');
    // What somebody between puts in before the encryption is no answer.
    peer.onConnection = withTls(upsd({ apc: APC }), 'BEGIN LIST VAR apc\nEND LIST VAR apc\n');
    expect(await device({ tls: true, ca: certificate, ups: 'apc' }).read()).toHaveLength(APC_READINGS);
    expect(await ups.read()).toHaveLength(APC_READINGS);
  });

  it('that sends 100 MB is cut off', async () => {
    peer.onConnection = (socket) => flood(socket, 100e6);
    const growth = await memoryGrowth(async () =>
      expect(await device().failure()).toContain('longer than 1048576 bytes'),
    );
    expect(growth).toBeLessThan(100 * 2 ** 20);
  });

  it('says what is wrong in its configuration', () => {
    expect(mistakesOf({ protocol: 'nut', ups: 'a b', password: 's3cr3t\nINSTCMD' })).toEqual([
      'third_party[0].password: must have no blanks and quotes, which upsd cannot take',
      'third_party[0].ups: must have no blanks and quotes, which upsd cannot take',
    ]);
    expect(mistakesOf({ protocol: 'nut', tls: false, ca: 'ca.pem' })).toEqual([
      'third_party[0].ca: must be a certificate in PEM, as in ${file:ca.pem}',
      'third_party[0].tls: must be true, or ca and insecure have no use',
    ]);
  });
});

it('a variable may have quotes', () => {
  const quoted = ['VAR apc device.model "Back \\"RS\\" \\\\"'];
  expect(parseVariables('apc', quoted, () => undefined).get('device.model')).toBe('Back "RS" \\');
  const wrong: string[] = [];
  parseVariables('apc', ['VAR other a "1"'], (line, reason) => wrong.push(`${line} ${reason}`));
  expect(wrong).toEqual(['VAR other a "1" must be VAR apc <name> "<value>"']);
});
