import { describe, expect, it } from '@jest/globals';
import { StoreUnavailableError } from '@device-metrics/storage';
import { Patience } from './patience.js';

describe('a work that takes long', () => {
  /** A store that is away until it was asked so often. */
  const patienceWith = (awayFor: number, signal = new AbortController().signal): Patience => {
    let asked = 0;
    const ping = async (): Promise<void> => {
      asked += 1;
      if (asked <= awayFor) throw new StoreUnavailableError('the database is away');
    };
    return new Patience({ ping }, signal, 1, 20);
  };
  const failing = (times: number, error: Error): (() => Promise<string>) => {
    let left = times;
    return async () => {
      left -= 1;
      if (left >= 0) throw error;
      return 'a page';
    };
  };
  const away = new StoreUnavailableError('the database is away');

  it('goes on with what it was at when the store is there again', async () => {
    expect(await patienceWith(5).with(failing(1, away))).toBe('a page');
  });

  it('ends where the store is away for too long, does not answer that one thing, or something else is wrong', async () => {
    await expect(patienceWith(100).with(failing(1, away))).rejects.toBe(away);
    await expect(patienceWith(0).with(failing(3, away))).rejects.toBe(away);
    const damaged = new Error('damaged');
    await expect(patienceWith(0).with(failing(1, damaged))).rejects.toBe(damaged);
  });

  it('waits no longer once it is to end', async () => {
    const stop = new AbortController();
    const patience = patienceWith(100, stop.signal);
    const work = patience.with(failing(1, away));
    stop.abort();
    await expect(work).rejects.toBe(away);
  });
});
