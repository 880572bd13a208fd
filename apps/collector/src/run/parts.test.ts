import { expect, it } from '@jest/globals';
import { HOUR } from '@device-metrics/domain';
import { RejectedParts } from './parts.js';

it('a part that fails again after an hour without is said again, one that lasts is not', () => {
  let now = 0;
  const said: string[] = [];
  const log = { warn: (message: string): void => void said.push(message) };
  const parts = new RejectedParts(5, () => now);
  const reject = (part: string): void => parts.tell('ups', [{ part, reason: 'hangs' }], log);
  for (; now < 5 * HOUR; now += HOUR / 6) reject('/mnt/nfs');
  reject('/mnt/usb');
  expect(said).toEqual(['ups: cannot read /mnt/nfs: hangs', 'ups: cannot read /mnt/usb: hangs']);
  now += HOUR;
  reject('/mnt/usb');
  expect(said).toHaveLength(3);
});

it('names five parts of one reason and counts the others', () => {
  const said: string[] = [];
  const rejected = Array.from({ length: 500 }, (_, index) => ({ part: `1.3.${index}`, reason: 'is not there' }));
  new RejectedParts(5).tell('switch', rejected, { warn: (message) => void said.push(message) });
  expect(said).toEqual(['switch: cannot read 1.3.0, 1.3.1, 1.3.2, 1.3.3, 1.3.4 and 495 more: is not there']);
});
