import { describe, expect, it } from '@jest/globals';
import { SharedTurns } from './shared-turns.js';

/** What a database says of a work that several processes share. */
class Work {
  holder: string | undefined = 'a';
  done: number | undefined;

  turnsOf(process: string): SharedTurns {
    return new SharedTurns(
      {
        holds: async () => {
          if (this.holder === undefined) throw new Error('the database is away');
          return this.holder === process;
        },
        lastDone: async () => this.done,
        noteDone: async (_, time) => void (this.done = time),
      },
      'reports',
    );
  }
}

describe('the turns of a work that several processes share', () => {
  it('are done by the one that holds it, and not again by the next one', async () => {
    const work = new Work();
    const [a, b] = [work.turnsOf('a'), work.turnsOf('b')];
    expect(await a.isMine(60_000)).toBe(true);
    expect(await b.isMine(60_010)).toBe(false);
    await a.note(60_000);
    work.holder = 'b';
    expect(await b.isLeftToMe()).toBe(false);
    expect(await b.isMine(120_000)).toBe(true);
    expect(await b.isLeftToMe()).toBe(false);
  });

  it('are done by the next one where the holder was gone, or went before it was done; only the last of them', async () => {
    const work = new Work();
    const b = work.turnsOf('b');
    await work.turnsOf('a').note(60_000);
    expect(await b.isMine(120_000)).toBe(false);
    expect(await b.isMine(180_000)).toBe(false);
    expect(await b.isLeftToMe()).toBe(false);
    work.holder = 'b';
    expect(await b.isLeftToMe()).toBe(true);
    expect(await b.isLeftToMe()).toBe(false);
  });

  it('are not lost where the database was away when they came', async () => {
    const work = new Work();
    const a = work.turnsOf('a');
    work.holder = undefined;
    await expect(a.isMine(60_000)).rejects.toThrow('the database is away');
    work.holder = 'a';
    expect(await a.isLeftToMe()).toBe(true);
  });
});
