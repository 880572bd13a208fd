import type { Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Aedes } from 'aedes';
import { connect, type MqttClient } from 'mqtt';
import { Device, memoryGrowth, mistakesOf, NOW, TcpPeer, type Sent } from '../../../test/third-party/device.js';
import { pause, until } from '../../../test/harness.js';
import { parseTopic } from './topic.js';

describe('a topic pattern', () => {
  it('names levels', () => {
    const { filter, match } = parseTopic('home/{device}/+/{metric}/#');
    expect(filter).toBe('home/+/+/+/#');
    expect(match('home/oven/x/heat/a/b')).toEqual({ device: 'oven', metric: 'heat' });
    expect(match('home/oven/x')).toBeUndefined();
    expect(match('flat/oven/x/heat')).toBeUndefined();
  });

  it.each(['a/{b}c', 'a/b+', '#/a', '{a}/{a}', 'a{}'])('refuses %s', (text) => {
    expect(() => parseTopic(text)).toThrow();
  });
});

describe('an MQTT broker', () => {
  let broker: Aedes;
  let publisher: MqttClient;
  const peer = new TcpPeer((socket) => broker.handle(socket));
  const devices: Device[] = [];

  const device = (others: object): Device => {
    const made = new Device({ protocol: 'mqtt', url: `mqtt://127.0.0.1:${peer.port}`, ...others });
    devices.push(made);
    return made;
  };
  /** Resolves once the broker has passed it on. */
  const publish = (topic: string, payload: unknown, retain = false): Promise<unknown> =>
    publisher.publishAsync(topic, typeof payload === 'string' ? payload : JSON.stringify(payload), { qos: 1, retain });

  /**
   * What the broker has passed on is with the devices then: all of them are in this process, where it takes turns of the event loop,
   * which a stall does not bring, and whatever the system takes.
   */
  const arrival = async (): Promise<void> => {
    await pause(50);
    for (let turn = 0; turn < 100; turn += 1) await setImmediate();
  };

  beforeAll(async () => {
    broker = await Aedes.createBroker({
      authenticate: (_client, username, password, done) => {
        done(null, username !== 'carol' || password?.toString() === 'r1ghtpass');
      },
    });
    await peer.start();
    publisher = connect(`mqtt://127.0.0.1:${peer.port}`, { reconnectPeriod: 50 });
    await until(() => publisher.connected);
  });
  afterEach(async () => {
    await Promise.all(devices.splice(0).map((one) => one.close()));
  });
  afterAll(async () => {
    await publisher.endAsync(true);
    await peer.stop();
    await new Promise<void>((resolve) => broker.close(resolve));
  });

  it('needs three lines: device and metric are in the topic, the payload is a number', async () => {
    const lab = device({ topic: 'sensors/{device}/{metric}' });
    await publish('sensors/kitchen/temperature', '20.5', true);
    expect(await lab.read()).toEqual([{ device_name: 'kitchen', metric_name: 'temperature', value: 20.5 }]);
    expect(await lab.read()).toEqual([]);
    await publish('sensors/kitchen/temperature', '21');
    await publish('sensors/kitchen/temperature', ' 21.5 ');
    await publish('sensors/hall/motion', 'ON');
    await arrival();
    expect(await lab.read()).toEqual([
      { device_name: 'kitchen', metric_name: 'temperature', value: 21.5 },
      { device_name: 'hall', metric_name: 'motion', value: 1 },
    ]);
    await publish('sensors/kitchen/temperature', '', true);
  });

  it('gives numbers of several metrics with their units', async () => {
    const lab = device({ topic: 'plain/{device}/{metric}', units: { temperature: '°F', '*_load': '%' } });
    await lab.read();
    await publish('plain/kitchen/temperature', '68');
    await publish('plain/kitchen/cpu_load', '50');
    await arrival();
    expect(await lab.values()).toEqual({ 'temperature Cel': 20, 'cpu_load 1': 0.5 });
  });

  it('gives Zigbee2MQTT with its units, and its last will as device.online', async () => {
    const lab = device({
      topics: [
        { topic: 'zigbee2mqtt/{device}', units: { temperature: '°F', humidity: '%', battery: '%', power: 'W' } },
      ],
      online: 'zigbee2mqtt/{device}/availability',
    });
    await publish('zigbee2mqtt/bath/availability', { state: 'online' }, true);
    await publish(
      'zigbee2mqtt/bath',
      {
        temperature: 68,
        humidity: 55.5,
        battery: 100,
        contact: true,
        state: 'ON',
        voltage: null,
        update: { state: 'idle' },
      },
      true,
    );
    expect((await lab.read()).map(({ metric_name, value, unit }) => [metric_name, value, unit])).toEqual([
      ['temperature', 20, 'Cel'],
      ['humidity', 0.555, '1'],
      ['battery', 1, '1'],
      ['contact', 1, undefined],
      ['state', 1, undefined],
      ['device.online', 1, '1'],
    ]);
    await publish('zigbee2mqtt/bath/availability', 'offline', true);
    await arrival();
    expect(await lab.read()).toEqual([{ device_name: 'bath', metric_name: 'device.online', value: 0, unit: '1' }]);
  });

  it('gives Tasmota by path, and its real last will', async () => {
    const plug = connect(`mqtt://127.0.0.1:${peer.port}`, {
      will: { topic: 'tele/plug/LWT', payload: Buffer.from('Offline'), qos: 1, retain: true },
      reconnectPeriod: 0,
    });
    await plug.publishAsync('tele/plug/LWT', 'Online', { qos: 1, retain: true });
    const lab = device({
      topic: 'tele/{device}/SENSOR',
      metric: 'hw.energy',
      path: 'ENERGY.Total',
      unit: 'kWh',
      online: 'tele/{device}/LWT',
    });
    expect(await lab.read()).toMatchObject([{ metric_name: 'device.online', value: 1 }]);
    await plug.publishAsync(
      'tele/plug/SENSOR',
      JSON.stringify({ Time: '2026-01-15T10:00:00', ENERGY: { Total: 1.5, Power: 7 } }),
      { qos: 1 },
    );
    await arrival();
    expect(await lab.read()).toMatchObject([
      { device_name: 'plug', metric_name: 'hw.energy', value: 5_400_000, unit: 'J' },
      { metric_name: 'device.online', value: 1 },
    ]);
    // Gone without a goodbye.
    plug.stream.destroy();
    let last: Sent[] = [];
    await until(async () => (last = await lab.read()).some(({ value }) => value === 0));
    expect(last).toMatchObject([{ device_name: 'plug', metric_name: 'device.online', value: 0 }]);
    await plug.endAsync(true);
  });

  it('gives Influx lines as a command does: by the parser that knows their escapes, texts, types and times', async () => {
    const lab = device({
      topics: [
        { topic: 'lines/{device}', format: 'influx', units: { 'disk io.used': '%' }, labels: { room: 'lab' } },
        { topic: 'telegraf', format: 'influx', timestamps: 'source', precision: 's' },
      ],
    });
    await lab.read();
    await publish(
      'lines/pc',
      'disk\\ io,host=pc,path=/a\\ b used=50,free=7i,ok=t,text="a, b=2"\r\nbroken\nload,host=x value=1',
    );
    await publish('lines/pc', '温度 value=1');
    await publish('lines/pc', '湿度 value=2');
    const readings: unknown[] = [];
    const rejected: string[] = [];
    await until(async () => {
      readings.push(...(await lab.read()));
      rejected.push(...lab.rejected);
      return readings.length >= 6;
    });
    expect(readings).toEqual([
      {
        device_name: 'pc',
        metric_name: 'disk_io.used',
        value: 0.5,
        unit: '1',
        labels: { path: '/a b', room: 'lab', name: 'disk io.used' },
      },
      {
        device_name: 'pc',
        metric_name: 'disk_io.free',
        value: 7,
        labels: { path: '/a b', room: 'lab', name: 'disk io.free' },
      },
      {
        device_name: 'pc',
        metric_name: 'disk_io.ok',
        value: 1,
        labels: { path: '/a b', room: 'lab', name: 'disk io.ok' },
      },
      { device_name: 'pc', metric_name: 'load', value: 1, labels: { host: 'x', room: 'lab' } },
      { device_name: 'pc', metric_name: '__', value: 1, labels: { room: 'lab', name: '温度' } },
      { device_name: 'pc', metric_name: '__', value: 2, labels: { room: 'lab', name: '湿度' } },
    ]);
    expect(rejected).toEqual([expect.stringContaining('line 2: must be a measurement and fields')]);
    const time = Math.floor(NOW / 1000) * 1000 - 60_000;
    await publish('telegraf', `cpu,host=box,cpu=cpu0 idle=3u ${time / 1000}`);
    const timed: unknown[] = [];
    await until(async () => timed.push(...(await lab.samples())) >= 1);
    expect(timed).toEqual([['cpu.idle', time]]);
  });

  it('gives Home Assistant by a mapping', async () => {
    const mapping = `{"device_name": "house", "metric_name": "hw.power", "value": $number(state), "unit": "kW"}`;
    const lab = device({ topics: [{ topic: 'homeassistant/sensor/{sensor}/state', mapping }] });
    await publish('homeassistant/sensor/solar/state', { state: '3.2' }, true);
    expect(await lab.read()).toEqual([
      { device_name: 'house', metric_name: 'hw.power', value: 3200, unit: 'W', labels: { sensor: 'solar' } },
    ]);
  });

  it('that publishes garbage is told once for each topic, and the rest is read', async () => {
    const lab = device({ topic: 'odd/{device}/{metric}' });
    await lab.read();
    await publish('odd/a/b', '<html>');
    await publish('odd/a/d', 'unavailable');
    await publish('odd/a/b', '<body>');
    await publish('odd/a/c', '7');
    await arrival();
    expect(await lab.read()).toEqual([{ device_name: 'a', metric_name: 'c', value: 7 }]);
    const allowed = 'a number, JSON or one of on, true, online, open, off, false, offline, closed';
    expect(lab.log).toEqual([
      `rack leaves a message out, odd/a/b: must be ${allowed}, got "<html>"`,
      `rack leaves a message out, odd/a/d: must be ${allowed}, got "unavailable"`,
    ]);
  });

  it('has numbers as texts, says where there are none, and keeps topics apart whatever their letters', async () => {
    const lab = device({ topic: 'text/{device}/{metric}' });
    await lab.read();
    await publish('text/a/meter', { value: '317.3988', time: '2026-01-15T10:00:00', name: 'Zähler' });
    await publish('text/a/words', { state: 'idle' });
    await publish('text/a/温度', '20');
    await publish('text/a/湿度', '40');
    await publish('text/a/json', { 温度: 21, 湿度: 41 });
    await arrival();
    expect(await lab.values()).toEqual({
      'meter.value': 317.3988,
      '__{name=温度}': 20,
      '__{name=湿度}': 40,
      'json.__{name=json.温度}': 21,
      'json.__{name=json.湿度}': 41,
    });
    expect(lab.rejected).toEqual([expect.stringMatching(/^text\/a\/words: has no number in it, got /)]);
    expect(lab.log).toEqual([expect.stringMatching(/^rack leaves a message out, text\/a\/words: has no number in it/)]);
    await publish('text/a/words', 'x');
    await arrival();
    expect(await lab.read()).toEqual([]);
    expect(lab.rejected).toHaveLength(1);
    expect(lab.log).toHaveLength(1);
  });

  it('has NaN in JSON, a zero at the end, blanks and other letters than UTF-8, and costs nothing else', async () => {
    const topics = [{ topic: 'c/{device}/{metric}' }, { topic: 'path/{device}', path: 'v', metric: 'v' }];
    const lab = device({ topics });
    await lab.read();
    await publish('c/a/json', '{"t": nan, "h": 40}');
    await publish('c/a/nothing', { t: null, action: '', more: [null] });
    await publish('c/a/none', 'nan');
    await publish('c/a/plain', '20.5\0');
    await publish('path/a', '{"v": " 7 "}');
    await publisher.publishAsync('c/a/latin', Buffer.from('{"Gr\xf6\xdfe": 1, "Gr\xfc\xdfe": 2}', 'latin1'), {
      qos: 1,
    });
    await arrival();
    expect(await lab.values()).toEqual({
      'json.h': 40,
      plain: 20.5,
      v: 7,
      'latin.Gr__e{name=latin.Größe}': 1,
      'latin.Gr__e{name=latin.Grüße}': 2,
    });
    expect(lab.rejected).toEqual([]);
  });

  it('with more numbers in a JSON than are taken says so', async () => {
    const lab = device({ topic: 'many/{device}' });
    await lab.read();
    await publish('many/a', Object.fromEntries(Array.from({ length: 501 }, (_, index) => [`n${index}`, index])));
    await arrival();
    expect(await lab.read()).toHaveLength(500);
    expect(lab.rejected).toEqual(['many/a: has 501 numbers, of which the first 500 are taken; a mapping can choose']);
  });

  it('takes an empty payload for no message, and forgets a device whose availability is taken back', async () => {
    const lab = device({ topic: 'gone/{device}/{metric}', online: 'lwt/{device}' });
    await publish('lwt/plug', 'online', true);
    await publish('gone/plug/power', '5', true);
    expect(Object.keys(await lab.values())).toEqual(['power', 'device.online 1']);
    await publish('gone/plug/power', '', true);
    await publish('lwt/plug', 'offline', true);
    await arrival();
    expect(await lab.values()).toEqual({ 'device.online 1': 0 });
    await publish('lwt/plug', '', true);
    await arrival();
    expect(await lab.read()).toEqual([]);
    expect([lab.log, lab.rejected]).toEqual([[], []]);
  });

  it('leaves out what the broker has retained where that is asked for', async () => {
    await publish('kept/a/m', '1', true);
    const lab = device({ topic: 'kept/{device}/{metric}', retained: false });
    expect(await lab.read()).toEqual([]);
    await publish('kept/a/m', '2');
    await arrival();
    expect(await lab.values()).toEqual({ m: 2 });
    await publish('kept/a/m', '', true);
  });

  it('an entry that does not fit costs no other, nor a reading of a mapping', async () => {
    const lab = device({
      topics: [
        { topic: 'two/{device}', metric: 'first', path: 'a.b' },
        { topic: 'two/{device}', metric: 'second', path: 'c' },
        {
          topic: 'map/{device}',
          timestamps: 'source',
          mapping: '[{"metric_name": "x", "value": x, "timestamp": t}, {"metric_name": "y", "value": y}]',
        },
      ],
    });
    await lab.read();
    await publish('two/d', { c: 3 });
    await publish('map/d', { x: 1, y: null, t: '2026-01-15T09:59:00Z' });
    await arrival();
    expect(await lab.values()).toEqual({ second: 3, x: 1 });
    expect(lab.rejected).toEqual([
      'two/d: a.b must be a number, got nothing',
      'map/d: the value of y must be a number, got null',
    ]);
  });

  it('that refuses one topic gives the others', async () => {
    broker.authorizeSubscribe = (_client, subscription, done): void =>
      done(null, subscription.topic.startsWith('secret') ? null : subscription);
    const lab = device({ topics: [{ topic: 'secret/{device}/{metric}' }, { topic: 'open/{device}/{metric}' }] });
    await publish('open/a/m', '1', true);
    expect(await lab.values()).toEqual({ m: 1 });
    const reason = 'the broker does not let this user read it';
    expect(lab.rejected).toEqual([`secret/+/+: ${reason}`]);
    expect(lab.log).toEqual([`rack leaves a topic out, secret/+/+: ${reason}`]);
    const none = device({ topic: 'secret/{device}/{metric}' });
    expect(await none.failure()).toMatch(/the broker refuses secret\/\+\/\+/);
    broker.authorizeSubscribe = (_client, subscription, done): void => done(null, subscription);
    await publish('open/a/m', '', true);
  });

  it('that goes away and comes back is read again', async () => {
    const lab = device({ topic: 'back/{device}/{metric}' });
    await lab.read();
    await peer.stop();
    let failure = '';
    await until(async () => (failure = await lab.failure()) !== 'does not fail');
    expect(failure).toContain('the broker has cut the connection');
    await peer.start();
    await until(() => publisher.connected);
    let readings: unknown[] = [];
    await until(async () => {
      await publish('back/a/b', '1');
      await pause(100);
      readings = await lab.read().catch(() => []);
      return readings.length > 0;
    });
    expect(readings).toMatchObject([{ metric_name: 'b', value: 1 }]);
    expect(lab.log.at(-1)).toBe('rack works again');
  });

  it('that refuses the password says so, without it', async () => {
    const lab = device({ topic: 'a', username: 'carol', password: 'wr0ngpass' });
    expect(await lab.failure()).toMatch(/Connection refused: Not authorized/);
    expect(lab.log.join()).not.toContain('wr0ngpass');
    const inUrl = device({ topic: 'a', url: `mqtt://carol:r1ghtpass@127.0.0.1:${peer.port}` });
    expect(await inUrl.read()).toEqual([]);
  });

  it('says what is wrong in its configuration', () => {
    expect(mistakesOf({ protocol: 'mqtt', url: 'http://u:s3cr3t@h', topics: [{ topic: 'a/{b}c' }] })).toEqual([
      'third_party[0].url: must be a URL that begins with mqtt://, mqtts://, ws:// or wss:// and names a host, got "http://***@h"',
      expect.stringContaining('third_party[0].topics[0].topic: must have {name}, + and # alone in a level'),
    ]);
    expect(mistakesOf({ protocol: 'mqtt', url: 'mqtt://h' })).toHaveLength(1);
    const topics = [
      { topic: 'a/{room}', metric: 'hw.{rom}' },
      { topic: 'a', mapping: '$', units: { a: '°F' }, scale: 2 },
    ];
    expect(mistakesOf({ protocol: 'mqtt', url: 'mqtt://h', topics })).toEqual([
      'third_party[0].topics[0].metric: has {rom}, which the topic has not; did you mean "room"?',
      'third_party[0].topics[1].mapping: does not go with units, scale; the mapping says it',
    ]);
    expect(mistakesOf({ protocol: 'mqtt', url: 'mqtt://', topic: 'a' })).toEqual([
      expect.stringMatching(/^third_party\[0\]\.url: must be a URL .* names a host, got "mqtt:\/\/"$/),
    ]);
  });
});

describe('a peer that is no MQTT broker', () => {
  const peer = new TcpPeer(() => undefined);
  let device: Device;
  const made = (timeout = '60s'): Device =>
    (device = new Device({ protocol: 'mqtt', url: `mqtt://127.0.0.1:${peer.port}`, topic: 'a', timeout }));
  beforeAll(() => peer.start());
  afterEach(() => device.close());
  afterAll(() => peer.stop());
  /** CONNACK, SUBACK, and then something else. */
  const speak = (then: (socket: Socket) => void) => (socket: Socket) => {
    socket.once('data', () => {
      socket.write(Buffer.from([0x20, 0x02, 0x00, 0x00]));
      socket.once('data', (subscribe: Buffer) => {
        socket.write(Buffer.from([0x90, 0x03, subscribe[2] ?? 0, subscribe[3] ?? 0, 0x00]));
        then(socket);
      });
    });
  };

  it('is absent', async () => {
    await peer.stop();
    expect(await made().failure()).toMatch(/^no connection to mqtt:\/\/127.*: .*ECONNREFUSED/);
    await peer.start();
  });

  it('hangs', async () => {
    peer.onConnection = () => undefined;
    expect(await made('500ms').failure()).toBe('no answer within 500 ms');
  });

  it('sends garbage', async () => {
    peer.onConnection = (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n');
    expect(await made().failure()).toMatch(/^no connection to .*: .+/);
  });

  it('sends a message of 100 MB, on every connection anew: it is left out, and what comes after it is read', async () => {
    let connections = 0;
    const chunk = Buffer.alloc(65_536, 'x');
    peer.onConnection = speak((socket) => {
      connections += 1;
      // PUBLISH with a remaining length of 3 + 1,526 · 65,536, and then one of the number 7, both of the topic a.
      socket.write(Buffer.from([0x30, 0x83, 0x80, 0xd8, 0x2f, 0x00, 0x01, 0x61]));
      for (let chunks = 0; chunks < 1_526; chunks += 1) socket.write(chunk);
      if (connections === 1) socket.end();
      else socket.write(Buffer.from([0x30, 0x04, 0x00, 0x01, 0x61, 0x37]));
    });
    const lab = made();
    const growth = await memoryGrowth(() => until(async () => 'value' in (await lab.values().catch(() => ({})))));
    expect(growth).toBeLessThan(100 * 2 ** 20);
    expect(connections).toBe(2);
    expect(lab.log).toContain('rack leaves a message out, a: is longer than 1048576 bytes');
  });
});
