import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Labels, Sample } from '@device-metrics/domain';
import { DAY, HOUR, MINUTE } from '@device-metrics/domain';
import type { Document } from '../../src/alerts/registry.js';
import type { Notice } from '../../src/alerts/telling/tell.js';
import { DEFAULT_RULES } from '../../src/alerts/rules/default-rules.js';
import { dryRun } from '../../src/alerts/dry-run.js';
import { DeviceRhythms } from '../../src/devices/device-rhythms.js';
import { readRule } from '../../src/alerts/rules/read-rule.js';
import { GRID, World } from './world.js';

let world: World;
beforeEach(async () => {
  world = await World.open();
});
afterEach(() => world.close());

const HOT = { name: 'hot', select: { metric: 'm' }, condition: { above: 5 }, for: '1m' };

it('one program that takes a whole processor is no alert of the PC, all processors that are busy for 30 minutes are', async () => {
  await world.rule(DEFAULT_RULES.find(({ name }) => name === 'CPU busy') as Document);
  const metric = 'system.cpu.utilization';
  const look = async (stuck: number, whole: number): Promise<void> => {
    await world.send(stuck, 'lab-pc-1', 0, metric, { 'cpu.logical_number': '0' });
    await world.send(whole, 'lab-pc-1', 0, metric);
  };
  await world.looks(150, () => look(1, 0.25));
  expect(await world.told()).toEqual([]);
  await world.looks(150, () => look(1, 0.99));
  expect(await world.told()).toEqual(['news firing lab-pc-1']);
});

const sampleOf = (deviceName: string, metricName: string, value: number, labels: Labels = {}): Sample => ({
  ...{ deviceName, metricName, unit: undefined, labels },
  ...{ timestamp: world.now, value },
});

/** What states have become, the first first. */
async function changes(): Promise<string[]> {
  const history = await world.alertStore.history({ limit: 100 });
  return history.map(({ body }) => (body as { to: string }).to).reverse();
}

describe('a level is of the unit that the metric catalogue has', () => {
  const send = async (metricName: string, unit: string, value: number, labels: Labels = {}): Promise<void> =>
    world.sendAll([{ deviceName: 'lab-pc-1', metricName, unit, labels, timestamp: world.now, value }]);
  const ruleOfStart = (name: string): Document => DEFAULT_RULES.find((rule) => rule['name'] === name) as Document;

  it('so that 100 °F are not too hot, and 200 °F are', async () => {
    await world.rule(ruleOfStart('Too hot'));
    await world.looks(20, () => send('hw.temperature', '[degF]', 100));
    expect(world.alerts.current()).toEqual([]);
    await world.looks(20, () => send('hw.temperature', '[degF]', 200));
    expect(world.alerts.current()).toMatchObject([{ phase: 'alerting', episode: { value: 200, level: 194 } }]);
    await world.looks(20, () => send('hw.temperature', '[degF]', 193));
    expect(world.alerts.current()).toEqual([]);
  });

  it('so that 60 % are not over 0.95, and 96 % clear at 0.9 only', async () => {
    await world.rule({ ...ruleOfStart('Memory almost full'), for: 0 });
    const memory = (value: number) => send('system.memory.utilization', '%', value, { 'system.memory.state': 'used' });
    await world.looks(10, () => memory(60));
    expect(world.alerts.current()).toEqual([]);
    await world.looks(4, () => memory(96));
    await world.looks(20, () => memory(92));
    expect(world.alerts.current()).toMatchObject([{ phase: 'alerting' }]);
    await world.looks(20, () => memory(89));
    expect(world.alerts.current()).toEqual([]);
  });

  it('also where a sensor has a mark of its own, in another unit', async () => {
    await world.rule(ruleOfStart('Too hot'));
    const look = async (value: number): Promise<void> => {
      await send('hw.temperature.limit', 'Cel', 70, { 'hw.limit_type': 'high.critical' });
      await send('hw.temperature', '[degF]', value);
    };
    await world.looks(10, () => look(157));
    expect(world.alerts.current()).toEqual([]);
    await world.looks(10, () => look(159));
    expect(world.alerts.current()).toMatchObject([{ phase: 'alerting' }]);
  });

  it('also in a dry run, of how fast something grows, and of what fills', async () => {
    const full = { type: 'full', within: '6h', window: '3h' };
    const rules: [wrong: number, Document][] = [
      [0, { name: 'hot', select: { metric: 'hw.temperature' }, condition: { above: 90 } }],
      [1, { name: 'warm', select: { metric: 'hw.temperature' }, condition: { above: 37 } }],
      [
        1,
        {
          name: 'fast',
          select: { metric: 'system.network.io' },
          condition: { measure: 'rate', above: 500, window: '5m' },
        },
      ],
      [0, { name: 'full', select: { metric: 'system.filesystem.utilization' }, condition: full }],
    ];
    const began = world.now;
    // 100 °F; 1 kB a second; a share that reaches its whole in 22 hours.
    await world.looks(1_000, async (index) => {
      await send('hw.temperature', '[degF]', 100);
      await send('system.network.io', 'kBy', (index * GRID) / 1000);
      await send('system.filesystem.utilization', '%', 5 + index / 62);
    });
    for (const [wrong, document] of rules) {
      const range = { start: began, end: world.now };
      const { firings } = await dryRun(world.store, new DeviceRhythms(world.store), readRule(document), range);
      expect([document['name'], firings.length]).toEqual([document['name'], wrong]);
    }
  });
});

describe('a value over its level', () => {
  it('is told once after its time and the wait, and its end too', async () => {
    await world.rule(HOT);
    await world.looks(20, () => world.send(9));
    expect(await world.told()).toEqual(['news firing lab-pc-1']);
    await world.looks(20, () => world.send(1));
    expect(await world.told()).toEqual(['news over lab-pc-1']);
    const history = await world.alertStore.history({ limit: 10 });
    expect(history.map(({ body }) => (body as { to: string }).to)).toEqual(['normal', 'alerting', 'pending']);
    expect(world.alerts.current()).toEqual([]);
  });

  it('of a minute less is not told, and of nobody else', async () => {
    await world.rule(HOT);
    await world.looks(40, (index) => world.send(index % 4 === 3 ? 1 : 9));
    await world.looks(10, () => world.send(9, 'other', 0, 'another'));
    expect(await world.told()).toEqual([]);
  });

  it('that flaps for an hour is told as often as recovering allows', async () => {
    await world.rule({ ...HOT, for: '1m', clear: { for: '5m' } });
    await world.looks(240, (index) => world.send(Math.floor(index / 6) % 2 === 0 ? 9 : 1));
    expect(await world.told()).toEqual(['news firing lab-pc-1']);
  });

  it('goes on pending over a restart, and is not told again after one', async () => {
    await world.rule({ ...HOT, for: '5m' });
    await world.looks(12, () => world.send(9));
    await world.restart();
    await world.looks(7, () => world.send(9));
    expect(world.alerts.current()).toMatchObject([{ phase: 'pending' }]);
    await world.looks(6, () => world.send(9));
    expect(await world.told()).toEqual(['news firing lab-pc-1']);
    await world.restart();
    await world.looks(20, () => world.send(9));
    expect(await world.told()).toEqual([]);
  });

  it('is seen though its data came four minutes late', async () => {
    await world.rule(HOT);
    await world.looks(8, () => world.send(1));
    await world.looks(16);
    // All at once: nine for two minutes, and well again since.
    const late = Array.from({ length: 16 }, (_, index): Sample => {
      const timestamp = world.now - (16 - index) * GRID;
      const value = index < 8 ? 9 : 1;
      return { deviceName: 'lab-pc-1', metricName: 'm', unit: undefined, labels: {}, timestamp, value };
    });
    await world.looks(1, () => world.sendAll(late));
    const history = await world.alertStore.history({ limit: 10 });
    expect(history.map(({ body }) => (body as { to: string }).to)).toEqual(['normal', 'alerting', 'pending']);
  });

  it('is seen though its data came late, by a rule that is looked at once a minute, too', async () => {
    await world.rule({ ...HOT, every: '1m' });
    await world.looks(8, () => world.send(1));
    await world.looks(17);
    const late = Array.from({ length: 16 }, (_, index): Sample => {
      const timestamp = world.now - (16 - index) * GRID;
      return { ...sampleOf('lab-pc-1', 'm', index < 8 ? 9 : 1), timestamp };
    });
    await world.looks(1, () => world.sendAll(late));
    await world.looks(4, () => world.send(1));
    expect(await changes()).toEqual(['pending', 'alerting', 'normal']);
  });

  it('is over once the rule is off for the device', async () => {
    await world.rule(HOT);
    await world.rule({ name: 'away', condition: { type: 'device', status: 'late' } });
    const both = (value: number) => async () => {
      await world.send(value);
      await world.send(value, 'lab-pc-2');
    };
    await world.looks(20, both(9));
    await world.looks(100);
    const off = { overrides: [{ device: 'lab-pc-1', enabled: false }] };
    await world.rule({ ...HOT, ...off });
    await world.rule({ name: 'away', condition: { type: 'device', status: 'late' }, ...off });
    await world.looks(10);
    const ended = world.alerts.current().map(({ rule, subject }) => [rule, subject.device]);
    expect(ended.sort()).toEqual([
      ['away', 'lab-pc-2'],
      ['hot', 'lab-pc-2'],
    ]);
    expect(await world.told()).toEqual([
      'news firing lab-pc-1,lab-pc-2',
      'news firing lab-pc-1,lab-pc-2',
      'news firing lab-pc-2 over lab-pc-1',
      'news firing lab-pc-2 over lab-pc-1',
    ]);
  });

  it.each([HOUR, -HOUR])('is told in time though the clock is set by %d ms, and nothing else is', async (step) => {
    await world.rule({ ...HOT, for: '5m' });
    await world.rule({ name: 'away', condition: { type: 'device', status: 'late' } });
    await world.looks(40, () => world.send(1));
    world.now += step;
    await world.looks(10, () => world.send(1));
    expect(await world.told()).toEqual([]);
    await world.looks(30, () => world.send(9));
    expect(await world.told()).toEqual(['news firing lab-pc-1']);
    // Of a device whose own clock stays behind, too.
    await world.looks(30, () => world.send(1, 'lab-pc-1', step));
    expect(await world.told()).toEqual(['news over lab-pc-1']);
  });
});

describe('no data that is an alert', () => {
  it.each(['was down', 'slept'])('is none while it is this server that %s', async (what) => {
    await world.rule({ ...HOT, no_data: 'alert' });
    await world.looks(10, () => world.send(1));
    if (what === 'slept') world.now += 30 * MINUTE;
    else {
      world.pass(30 * MINUTE);
      await world.restart();
    }
    // The senders take a moment, too.
    await world.looks(3);
    await world.looks(10, () => world.send(1));
    expect(await changes()).toEqual([]);
    await world.looks(50);
    expect(await world.told()).toEqual(['news firing lab-pc-1']);
  });
});

it('of counters a share is one of what they grew, in a dry run and after a restart too; and it may change', async () => {
  const user = { metric: 'system.cpu.time', label: 'cpu.mode=user' };
  const busy = { name: 'busy', select: user, condition: { measure: 'share', above: 0.7, window: '2m' }, for: '1m' };
  const busier = {
    name: 'busier',
    select: user,
    condition: { type: 'change', measure: 'share', window: '5m', above: 1.2 },
  };
  for (const rule of [busy, busier]) await world.rule(rule);
  const began = world.now;
  const time = { user: 0, idle: 1e6 };
  const look = (busyNow: boolean) => async () => {
    time[busyNow ? 'user' : 'idle'] += 12;
    time[busyNow ? 'idle' : 'user'] += 3;
    const samples = Object.entries(time).map(([mode, value]) =>
      sampleOf('pc', user.metric, value, { 'cpu.mode': mode }),
    );
    await world.sendAll(samples);
  };
  await world.looks(60, look(false));
  await world.looks(60, look(true));
  // What has changed is over once it has been so for its window.
  const said = ['pending', 'alerting', 'alerting', 'normal'];
  expect(await changes()).toEqual(said);
  world.pass(2 * GRID);
  await world.restart();
  await world.looks(10, look(true));
  expect(await changes()).toEqual(said);
  for (const document of [busy, busier]) {
    const range = { start: began, end: world.now };
    const { firings } = await dryRun(world.store, new DeviceRhythms(world.store), readRule(document), range);
    expect(firings).toHaveLength(1);
  }
});

it('of more alerts than a message holds each is told, in as many messages as that takes, and its end too', async () => {
  await world.rule({ ...HOT, for: 0 });
  const names = Array.from({ length: 1_100 }, (_, index) => `pc-${index}`);
  const look = (value: number) => () =>
    world.sendAll(
      names.map((deviceName): Sample => ({
        ...{ deviceName, metricName: 'm', unit: undefined, labels: {}, timestamp: world.now, value },
      })),
    );
  const told = async (key: 'firing' | 'ended'): Promise<string[]> => {
    const bodies = (await world.messages()).map(({ body }) => body as Notice);
    for (const { firing, ended } of bodies) expect(Math.max(firing.length, ended.length)).toBeLessThanOrEqual(1_000);
    return bodies.flatMap((body) => body[key].map(({ subject }) => subject.device));
  };
  await world.looks(4, look(9));
  expect((await told('firing')).sort()).toEqual([...names].sort());
  await world.looks(4, look(1));
  expect((await told('ended')).sort()).toEqual([...names].sort());
});

it.each([24 * HOUR, -24 * HOUR])('an end is told though the clock is set by %d ms before it is', async (step) => {
  await world.rule({ ...HOT, for: 0 });
  await world.looks(8, () => world.send(9));
  expect(await world.told()).toEqual(['news firing lab-pc-1']);
  await world.looks(1, () => world.send(1));
  world.now += step;
  await world.looks(4, () => world.send(1));
  expect(await world.told()).toEqual(['news over lab-pc-1']);
  expect(world.alerts.current()).toEqual([]);
});

it('500 devices that go silent at once are one message, within a minute of being late', async () => {
  await world.rule({ name: 'away', condition: { type: 'device', status: 'late' } });
  const fleet = (): Promise<void> =>
    world.sendAll(
      Array.from({ length: 500 }, (_, index) => ({
        deviceName: `pc-${index}`,
        metricName: 'm',
        unit: undefined,
        labels: {},
        timestamp: world.now,
        value: 1,
      })),
    );
  await world.looks(24, fleet);
  expect(await world.told()).toEqual([]);
  // Late after three pauses of 15 s.
  await world.looks(2);
  await world.looks(5);
  const told = await world.told();
  expect(told).toHaveLength(1);
  expect(told[0]?.split(',')).toHaveLength(500);
  await world.looks(4, fleet);
  expect(await world.told()).toHaveLength(1);
});

it('what was wrong before there was a channel is told once there is one', async () => {
  await world.alerts.channels.remove('hook');
  await world.rule(HOT);
  await world.looks(20, () => world.send(9));
  await world.alerts.channels.put([{ name: 'hook', type: 'webhook', url: 'http://127.0.0.1:2/' }], world.now);
  await world.looks(1, () => world.send(9));
  expect(await world.told()).toEqual(['news firing lab-pc-1']);
});

it('who was told hears of the end, though others are told by the routes of today', async () => {
  await world.alerts.channels.put([{ name: 'phone', type: 'webhook', url: 'http://127.0.0.1:2/' }], world.now);
  await world.alerts.routes.put([{ name: 'r', channels: ['hook'] }], world.now);
  await world.rule(HOT);
  await world.looks(20, () => world.send(9));
  await world.alerts.routes.put([{ name: 'other', channels: ['phone'] }], world.now);
  await world.alerts.routes.remove('r');
  await world.looks(20, () => world.send(9));
  await world.looks(20, () => world.send(1));
  const said = (await world.messages()).map(({ channel, body }) => [channel, (body as Notice).firing.length]);
  expect(said.sort()).toEqual([
    ['hook', 0],
    ['hook', 1],
    ['phone', 0],
    ['phone', 1],
  ]);
  expect([...(await world.alertStore.states())]).toEqual([]);
});

describe('nobody is told', () => {
  const fire = (device = 'lab-pc-1'): Promise<void> => world.looks(12, () => world.send(9, device));

  it('while it is silenced, and then is', async () => {
    await world.rule(HOT);
    const until = new Date(world.now + 10 * MINUTE).toISOString();
    await world.alerts.silences.put([{ name: 's', select: { device: 'lab-*' }, until }], world.now);
    await fire();
    expect(await world.told()).toEqual([]);
    expect(world.alerts.current()).toMatchObject([{ episode: { suppressed: 'silence s' } }]);
    await world.looks(40, () => world.send(9));
    expect(await world.told()).toEqual(['news firing lab-pc-1']);
  });

  it('in a maintenance window, across midnight and in its own time zone', async () => {
    await world.rule({ ...HOT, for: 0 });
    const weekly = { days: ['wed'], at: '23:30' };
    await world.alerts.maintenance.put(
      [{ name: 'night', weekly, duration: '2h', timezone: 'Europe/Berlin' }],
      world.now,
    );
    // Thursday 00:30 in Berlin.
    world.now = Date.UTC(2026, 0, 14, 23, 30);
    await fire();
    expect(await world.told()).toEqual([]);
    world.pass(HOUR);
    await fire();
    expect(await world.told()).toEqual(['news firing lab-pc-1']);
  });

  it('of what hangs on a device that is away', async () => {
    await world.rule({ ...HOT, for: 0 });
    await world.alerts.dependencies.put([{ name: 'd', devices: { device: 'lab-*' }, on: 'switch' }], world.now);
    await world.looks(8, () => world.send(1, 'switch'));
    await world.looks(10, () => world.send(1));
    await fire();
    expect(await world.told()).toEqual([]);
    await world.looks(4, async () => {
      await world.send(1, 'switch');
      await world.send(9);
    });
    expect(await world.told()).toEqual(['news firing lab-pc-1']);
  });
});

it('a chain of devices that go silent is told of at its top, a circle of them of each', async () => {
  await world.rule({ name: 'away', condition: { type: 'device', status: 'late' } });
  const hang = (name: string, device: string | string[], on: string): Record<string, unknown> => ({
    name,
    devices: { device },
    on,
  });
  await world.alerts.dependencies.put(
    [
      hang('pcs', ['pc-*'], 'switch'),
      hang('switch', 'switch', 'router'),
      hang('all', ['pc-*', 'switch', 'router'], 'router'),
      hang('there', 'east', 'west'),
      hang('back', 'west', 'east'),
      hang('behind', 'far', 'east'),
    ],
    world.now,
  );
  const names = ['router', 'switch', 'pc-1', 'pc-2', 'east', 'west', 'far'];
  await world.looks(10, async () => {
    for (const name of names) await world.send(1, name);
  });
  await world.looks(10);
  expect((await world.told()).map((line) => line.split(' ').at(-1)?.split(',').sort())).toEqual([
    ['east', 'router', 'west'],
  ]);
});

it.each(['constructor', 'toString', '__proto__', 'a, severity=b', '😀', 'r*'])(
  'a route and a rule by the name %s tell as others do',
  async (name) => {
    await world.rule({ ...HOT, name });
    await world.alerts.routes.put([{ name, channels: ['hook'], group_by: ['rule', 'tag:constructor'] }], world.now);
    await world.looks(12, () => world.send(9));
    await world.looks(12, () => world.send(1));
    expect(await world.told()).toEqual(['news firing lab-pc-1', 'news over lab-pc-1']);
  },
);

it('what nobody acknowledges is repeated and goes further; acknowledged, it is told once more: when it is over', async () => {
  await world.rule({ ...HOT, for: 0 });
  await world.alerts.channels.put([{ name: 'boss', type: 'webhook', url: 'http://127.0.0.1:2/b' }], world.now);
  const escalate = { after: '30m', channels: ['boss'] };
  await world.alerts.routes.put([{ name: 'r', channels: ['hook'], repeat: '1h', escalate }], world.now);
  const hot = (): Promise<void> => world.send(9);
  await world.looks(250, hot);
  expect(await world.told()).toEqual(['news firing lab-pc-1', 'escalation firing lab-pc-1', 'repeat firing lab-pc-1']);
  const ids = new Set(world.alerts.current().map(({ episode }) => episode?.id ?? ''));
  await world.alerts.acknowledge(ids, 'anna', 'on it');
  await world.looks(300, hot);
  expect(await world.told()).toEqual([]);
  await world.looks(4, () => world.send(1));
  expect((await world.told()).sort()).toEqual(['news over lab-pc-1', 'news over lab-pc-1']);
  expect(
    (await world.messages())
      .slice(-2)
      .map(({ channel }) => channel)
      .sort(),
  ).toEqual(['boss', 'hook']);
});

it('a dry run says what the looks had said', async () => {
  const rule = { ...HOT, clear: { for: '45s' } };
  await world.rule(rule);
  const start = world.now;
  const values = Array.from({ length: 200 }, (_, index) => (Math.sin(index / 9) > 0.2 ? 9 : 1));
  await world.looks(values.length, (index) => world.send(values[index] as number));
  const history = [...(await world.alertStore.history({ limit: 1000 }))].reverse();
  const seen = history.flatMap(({ at, body }) => ((body as { to: string }).to === 'alerting' ? [at] : []));
  const range = { start, end: world.now };
  const { firings, subjects } = await dryRun(world.store, new DeviceRhythms(world.store), readRule(rule), range);
  expect(subjects).toBe(1);
  // Looks come at the end of a step.
  const within = firings.map(({ began }) => seen.some((at) => Math.abs(at - began) <= GRID));
  expect(firings.length).toBeGreaterThan(2);
  expect(within).not.toContain(false);
});

describe('other conditions', () => {
  it('a line through the last days says when it is full', async () => {
    await world.rule({
      name: 'full',
      select: { metric: 'm' },
      condition: { type: 'full', within: '2d', window: '1d' },
    });
    const history = Array.from({ length: 24 }, (_, hour): Sample => {
      const timestamp = world.now - (24 - hour) * HOUR;
      return { deviceName: 'a', metricName: 'm', unit: '1', labels: {}, timestamp, value: 0.5 + hour * 0.01 };
    });
    await world.sendAll(history);
    await world.looks(2);
    expect(world.alerts.current()).toMatchObject([{ phase: 'alerting' }]);
  });

  it('a file system that turned read-only is told of, one that always was is not', async () => {
    const condition = { type: 'switched', label: 'system.filesystem.mode', from: 'rw', to: 'ro' };
    await world.rule({ name: 'ro', select: { metric: 'm', label: 'system.filesystem.mode=ro' }, condition });
    const labels = (mountpoint: string, mode: string): Record<string, string> => ({
      'system.filesystem.mountpoint': mountpoint,
      'system.filesystem.mode': mode,
    });
    await world.looks(2, async () => {
      await world.send(0.5, 'a', 0, 'm', labels('/', 'rw'));
      await world.send(1, 'a', 0, 'm', labels('/cdrom', 'ro'));
    });
    await world.looks(6, async () => {
      await world.send(0.5, 'a', 0, 'm', labels('/', 'ro'));
      await world.send(1, 'a', 0, 'm', labels('/cdrom', 'ro'));
    });
    expect(world.alerts.current().map(({ subject }) => subject.labels?.['system.filesystem.mountpoint'])).toEqual([
      '/',
    ]);
  });

  it('what comes back and goes has a share, a change, a rate', async () => {
    await world.rule({
      name: 'share',
      select: { metric: 'system.memory.usage', label: 'system.memory.state=used' },
      condition: { measure: 'share', above: 0.9 },
    });
    await world.rule({
      name: 'change',
      select: { metric: 'c' },
      condition: { type: 'change', above: 0.5, window: '1m', measure: 'mean' },
    });
    await world.rule({ name: 'rate', select: { metric: 'n' }, condition: { measure: 'rate', above: 1, window: '1m' } });
    await world.looks(12, async (index) => {
      await world.send(95, 'a', 0, 'system.memory.usage', { 'system.memory.state': 'used' });
      await world.send(5, 'a', 0, 'system.memory.usage', { 'system.memory.state': 'free' });
      await world.send(index < 6 ? 1 : 4, 'a', 0, 'c');
      await world.send(index * 30, 'a', 0, 'n');
    });
    const history = await world.alertStore.history({ limit: 100 });
    const fired = history.filter(({ body }) => (body as { to: string }).to === 'alerting').map(({ rule }) => rule);
    expect([...new Set(fired)].sort()).toEqual(['change', 'rate', 'share']);
  });
});

it('a clock that jumps ahead costs nothing of what is known of alerts', async () => {
  await world.rule(HOT);
  await world.looks(10, () => world.send(9));
  const before = await world.alertStore.history({ limit: 100 });
  expect(before).toMatchObject([{ rule: 'hot' }, { rule: 'hot' }]);
  world.now += 400 * DAY;
  world.elapsed += DAY;
  await world.alerts.look();
  expect(await world.alertStore.history({ limit: 100 })).toEqual(expect.arrayContaining([...before]));
});
