import { expect, it } from '@jest/globals';
import { DAY } from '@device-metrics/domain';
import { ClockWatch, type ClockMark } from './clock-watch.js';

const NOW = Date.UTC(2026, 0, 15);

function watched(): {
  watch: ClockWatch;
  start: (mark: ClockMark) => ClockWatch;
  pass: (duration: number) => void;
  set: (by: number) => void;
  now: () => number;
} {
  let [time, moment] = [NOW, 1_000];
  const pass = (duration: number): void => {
    time += duration;
    moment += duration;
  };
  const start = (mark?: ClockMark): ClockWatch =>
    new ClockWatch(
      () => time,
      mark,
      () => moment,
    );
  return { watch: start(), start, pass, set: (by) => void (time += by), now: () => time };
}

it('a clock that goes, with samples that come, is believed', () => {
  const { watch, pass, now } = watched();
  for (let turn = 0; turn < 100; turn += 1) {
    expect(watch.doubt(now() - 5_000)).toBeUndefined();
    pass(DAY);
  }
  expect(watch.doubt(undefined)).toBeUndefined();
});

it('after a jump ahead a day passes, though samples of that time come', () => {
  const { watch, pass, set, now } = watched();
  set(150 * DAY);
  expect(watch.doubt(now())).toContain('jumped ahead by 3600 h');
  pass(DAY - 1);
  expect(watch.doubt(now())).toBeDefined();
  pass(1);
  expect(watch.doubt(now())).toBeUndefined();
  pass(DAY);
  expect(watch.doubt(now())).toBeUndefined();
});

it('a clock far ahead of the newest sample is believed after a day, until samples come again', () => {
  const { watch, pass, now } = watched();
  const newest = now() - 30 * DAY;
  expect(watch.doubt(newest)).toContain('720 h ahead of the newest sample');
  pass(DAY);
  expect(watch.doubt(newest)).toBeUndefined();
  pass(10 * DAY);
  expect(watch.doubt(newest)).toBeUndefined();
  expect(watch.doubt(now())).toBeUndefined();
  pass(DAY / 2);
  expect(watch.doubt(now() - 3 * DAY)).toBeDefined();
});

it('a clock that goes back deletes nothing more, and one that is put right again waits', () => {
  const { watch, pass, set, now } = watched();
  set(-20 * 365 * DAY);
  expect(watch.doubt(NOW)).toBeUndefined();
  set(20 * 365 * DAY);
  expect(watch.doubt(now())).toContain('jumped');
  pass(DAY);
  expect(watch.doubt(now())).toBeUndefined();
});

it('a doubt outlasts a start, and is over once a day has passed in which it ran', () => {
  const { watch, start, pass, set, now } = watched();
  set(150 * DAY);
  expect(watch.doubt(now())).toContain('jumped ahead');
  pass(DAY / 2);
  expect(watch.doubt(now())).toBeDefined();
  const second = start(watch.mark());
  expect(second.doubt(now())).toContain('jumped ahead by 3600 h');
  pass(DAY / 2 - 1);
  expect(second.doubt(now())).toBeDefined();
  const third = start(second.mark());
  pass(1);
  expect(third.doubt(now())).toBeUndefined();
  expect(start(third.mark()).doubt(now())).toBeUndefined();
});

it('a clock that jumps while nobody runs is doubted at the start', () => {
  const { watch, start, set, now } = watched();
  expect(watch.doubt(now())).toBeUndefined();
  set(150 * DAY);
  expect(start(watch.mark()).doubt(now())).toContain('when the database was last in use');
  set(-149 * DAY);
  expect(start(watch.mark()).doubt(now())).toBeUndefined();
});

it('until a clock that has jumped ahead is believed the time before goes on, over starts as well', () => {
  const { watch, start, pass, set, now } = watched();
  watch.doubt(now());
  set(150 * DAY);
  expect(watch.hasJumped()).toBe(true);
  watch.doubt(now());
  pass(1_000);
  expect(watch.hasJumped()).toBe(false);
  expect(watch.trustedNow()).toBe(NOW + 1_000);

  const next = start(watch.mark());
  expect(next.doubt(now())).toBeDefined();
  pass(DAY / 2);
  expect(next.trustedNow()).toBe(NOW + DAY / 2);
  pass(DAY / 2);
  expect(next.doubt(now())).toBeUndefined();
  expect(next.trustedNow()).toBe(now());
});

it('a clock that is put right again is trusted as it is', () => {
  const { watch, set, now } = watched();
  set(150 * DAY);
  watch.doubt(now());
  set(-151 * DAY);
  expect(watch.trustedNow()).toBe(now());
});
