import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { DAY, HOUR, MINUTE } from '@device-metrics/domain';
import { runBySchedule, type ScheduleOptions } from './run-by-schedule.js';

const NOON = Date.UTC(2026, 0, 15, 12);
const NIGHTLY = '0 3 * * *';

let done: string[];
let end: () => void;
beforeEach(() => {
  jest.useFakeTimers({ now: NOON });
  done = [];
});
afterEach(() => {
  end();
  jest.useRealTimers();
});

async function begin(options: ScheduleOptions = {}, expression = NIGHTLY): Promise<void> {
  const act = (): void => void done.push(new Date().toISOString().slice(0, 16));
  end = runBySchedule(expression, act, { timeZone: 'UTC', ...options });
}

it('is called at its times', async () => {
  await begin();
  jest.advanceTimersByTime(2 * DAY);
  expect(done).toEqual(['2026-01-16T03:00', '2026-01-17T03:00']);
});

it('makes up once for the nights that the machine has slept through', async () => {
  await begin();
  jest.setSystemTime(NOON + 3 * DAY + HOUR);
  jest.advanceTimersByTime(MINUTE);
  expect(done).toEqual(['2026-01-18T13:01']);
  jest.advanceTimersByTime(DAY);
  expect(done.slice(1)).toEqual(['2026-01-19T03:00']);
});

it('goes by the clock that is set back by years', async () => {
  await begin();
  jest.setSystemTime(NOON - 3650 * DAY);
  jest.advanceTimersByTime(DAY);
  expect(done).toEqual(['2016-01-19T03:00']);
});

it('makes up for what was missed while the machine was off, not at once, and once', async () => {
  await begin({ since: NOON - 5 * DAY });
  expect(done).toEqual([]);
  jest.advanceTimersByTime(10 * MINUTE);
  expect(done).toEqual(['2026-01-15T12:01']);
});

it.each([
  ['there was nothing to miss since', NOON - HOUR],
  ['that was by a clock that was ahead', NOON + 365 * DAY],
])('makes up for nothing where %s', async (_why, since) => {
  await begin({ since });
  jest.advanceTimersByTime(10 * MINUTE);
  expect(done).toEqual([]);
});

it('an expression may have seconds', async () => {
  await begin({ since: NOON - DAY }, '*/10 * * * * *');
  jest.advanceTimersByTime(MINUTE / 2);
  expect(done).toHaveLength(3);
});
