import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { like, matchesAny, selectsDevice, selectsSeries } from './selector.js';

const series = { deviceName: 'lab-pc-1', metricName: 'system.cpu.utilization', labels: { cpu: '0', mode: 'user' } };

describe('selectsSeries', () => {
  it.each([
    [{}, true],
    [{ devices: ['lab-pc-1'] }, true],
    [{ devices: ['lab-pc'] }, false],
    [{ devices: ['lab-*'] }, false],
    [{ devices: [] }, false],
    [{ devices: ['lab-pc', 'lab-pc-1'] }, true],
    [{ devices: [like('rack-*'), like('lab-*')] }, true],
    [{ devices: [like('rack-*'), 'lab-pc-1'] }, true],
    [{ metrics: [like('system.*.utilization')] }, true],
    [{ metrics: [like('*')] }, true],
    [{ metrics: [like('*cpu')] }, false],
    [{ metrics: [like('system.cpu.utilization*utilization')] }, false],
    [{ labels: [['cpu', '0']] }, true],
    [{ labels: [['core', '']] }, true],
    [{ labels: [['cpu', '']] }, false],
    [
      {
        labels: [
          ['cpu', '0'],
          ['mode', like('us*')],
        ],
      },
      true,
    ],
    [{ labels: [['cpu', '1']] }, false],
    [{ labels: [['toString', like('*')]] }, false],
    [{ devices: ['lab-pc-1'], labels: [['cpu', '1']] }, false],
  ] as const)('%j: %j', (selector, selected) => {
    expect(selectsSeries(selector)(series)).toBe(selected);
  });
});

it('selectsDevice asks for one of the names and all of the tags', () => {
  const device = { name: 'lab-pc-1', tags: { room: 'lab', owner: '*' } };
  expect(selectsDevice({})(device)).toBe(true);
  expect(selectsDevice({ devices: ['x', 'lab-pc-1'], tags: [['room', like('l*')]] })(device)).toBe(true);
  expect(selectsDevice({ tags: [['owner', '*']] })(device)).toBe(true);
  expect(selectsDevice({ devices: ['x'], tags: [['room', 'lab']] })(device)).toBe(false);
  expect(
    selectsDevice({
      tags: [
        ['room', 'lab'],
        ['owner', 'me'],
      ],
    })(device),
  ).toBe(false);
});

const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });

it('like reads * as a regular expression would read .*', () => {
  fc.assert(
    fc.property(letters, letters, (pattern, text) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 's').test(text);
      expect(matchesAny([like(pattern)])(text)).toBe(expected);
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 5_000 : 800 },
  );
});

it('a text that is no pattern matches only itself, also where it has a *', () => {
  fc.assert(fc.property(letters, letters, (one, text) => expect(matchesAny([one])(text)).toBe(one === text)));
});
