import { describe, expect, it } from '@jest/globals';
import type { StoredCollector, StoredUpdate } from '@device-metrics/storage';
import * as fc from 'fast-check';
import { MINUTE } from '@device-metrics/domain';
import { standingOf, waveOf, whyNot, type Member } from './wave.js';

const NEWEST = '0.2.0';

class Fleet {
  now = 1_800_000_000_000;
  members: Member[];

  constructor(size: number) {
    this.members = Array.from({ length: size }, (_, index): Member => {
      const collector = { id: `c${index}`, deviceName: `pc-${index}`, version: '0.1.0', platform: 'linux x64' };
      const update = { offered: '', offeredAt: 0, tried: '', result: '', reason: '', triedAt: 0 } as const;
      return {
        collector: collector as StoredCollector,
        update: { collectorId: collector.id, askedAt: this.now, ...update },
        newest: NEWEST,
      };
    });
  }

  change(at: number, version: string, update: Partial<StoredUpdate>): void {
    const before = this.members[at] as Member;
    this.members[at] = {
      ...before,
      collector: { ...before.collector, version },
      update: { ...before.update, askedAt: this.now, ...update },
    };
  }

  /** One asks; what was let go ahead is noted, as the api does. */
  ask(at: number): boolean {
    this.change(at, this.of(at).collector.version, {});
    if (whyNot(this.of(at), this.members, this.now) !== undefined) return false;
    if (this.standing(at) !== 'under way') this.change(at, '0.1.0', { offered: NEWEST, offeredAt: this.now });
    return true;
  }

  end(at: number, result: 'updated' | 'failed' | 'refused'): void {
    this.now += MINUTE;
    this.change(at, result === 'updated' ? NEWEST : '0.1.0', { tried: NEWEST, result, triedAt: this.now });
  }

  of = (at: number): Member => this.members[at] as Member;
  standing = (at: number) => standingOf(this.of(at), this.now);
  get wave() {
    return waveOf(NEWEST, this.members, this.now);
  }
}

/** Asks for everyone in turn, and lets each that may go ahead arrive, until nobody may any more; the sizes of the steps. */
function run(fleet: Fleet, result: (at: number) => 'updated' | 'failed' | 'refused' = () => 'updated'): number[] {
  const steps: number[] = [];
  for (;;) {
    const going = fleet.members.flatMap((_, at) => (fleet.standing(at) !== 'updated' && fleet.ask(at) ? [at] : []));
    if (going.length === 0) return steps;
    steps.push(going.length);
    for (const at of going) fleet.end(at, result(at));
  }
}

describe('a newer version goes in waves', () => {
  it.each([
    [1, [1]],
    [2, [1, 1]],
    [10, [1, 9]],
    [11, [1, 1, 9]],
    [100, [1, 9, 90]],
    [250, [1, 24, 225]],
  ])('among %i: one, then a tenth, then all', (size, steps) => {
    expect(run(new Fleet(size))).toEqual(steps);
  });

  it('nobody else goes ahead once one had to go back', () => {
    const fleet = new Fleet(50);
    expect(run(fleet, (at) => (at === 0 ? 'failed' : 'updated'))).toEqual([1]);
    expect(whyNot(fleet.of(7), fleet.members, fleet.now)).toContain('held back: pc-0 went back');
    expect(fleet.wave.failed?.collector.deviceName).toBe('pc-0');
  });

  it('a PC that could not even start it, as without room, holds nobody back, and tries again after an hour', () => {
    const fleet = new Fleet(3);
    expect(run(fleet, (at) => (at === 0 ? 'refused' : 'updated'))).toEqual([1, 1, 1]);
    expect(fleet.standing(0)).toBe('refused');
    fleet.now += 61 * MINUTE;
    expect(fleet.ask(0)).toBe(true);
  });

  it('a PC that was switched off on its way is waited for an hour', () => {
    const fleet = new Fleet(3);
    expect(fleet.ask(0)).toBe(true);
    expect(fleet.ask(1)).toBe(false);
    fleet.now += 61 * MINUTE;
    expect(fleet.ask(1)).toBe(true);
  });

  it('the new version counts when it has said that it sends, not when it has started', () => {
    const fleet = new Fleet(3);
    fleet.ask(0);
    fleet.change(0, NEWEST, {});
    expect(fleet.ask(1)).toBe(false);
    fleet.end(0, 'updated');
    expect(fleet.ask(1)).toBe(true);
  });

  it('whoever has not asked for a day is not counted', () => {
    const fleet = new Fleet(100);
    for (let at = 20; at < 100; at += 1) fleet.change(at, '0.1.0', { askedAt: fleet.now - 25 * 60 * MINUTE });
    expect(fleet.wave).toMatchObject({ size: 20, limit: 1 });
  });

  it('whatever happens in whatever order, no more are on their way than the step allows', () => {
    const event = fc.tuple(fc.nat(29), fc.constantFrom('ask', 'updated', 'refused', 'hour'));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.array(event, { maxLength: 200 }), (size, events) => {
        const fleet = new Fleet(size);
        for (const [index, what] of events) {
          const at = index % size;
          if (what === 'ask') fleet.ask(at);
          else if (what === 'hour') fleet.now += 61 * MINUTE;
          else if (fleet.standing(at) === 'under way') fleet.end(at, what);
          const { updated, underWay } = fleet.wave;
          expect(underWay).toBeLessThanOrEqual(updated === 0 ? 1 : updated < Math.ceil(size / 10) ? size / 10 : size);
        }
      }),
    );
  });
});
