import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openDatabase } from '@device-metrics/sqlite';
import fc from 'fast-check';
import { lockSpool } from './lock-spool.js';
import { Spool, unpack, type WireSample, type SpoolLimits } from './spool.js';

const folder = mkdtempSync(join(tmpdir(), 'spool-'));
/** Only root can make a disk that is small: elsewhere the test is skipped. */
function smallDisk(): boolean {
  try {
    const path = join(folder, 'disk');
    mkdirSync(path);
    execFileSync('mount', ['-o', 'size=16m', '-t', 'tmpfs', 'tmpfs', path], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}
const hasSmallDisk = smallDisk();
afterAll(() => {
  if (hasSmallDisk) execFileSync('umount', ['-l', join(folder, 'disk')]);
  rmSync(folder, { recursive: true });
});
let file = '';
let damage: string[] = [];
beforeEach(() => {
  file = join(mkdtempSync(join(folder, 'test-')), 'spool.db');
  damage = [];
});

const UNLIMITED: SpoolLimits = { maxBytes: Infinity, minFreeBytes: 0 };
const open = (limits = UNLIMITED, freeBytes?: () => number): Spool =>
  new Spool(file, limits, (message) => damage.push(message), freeBytes);
const metrics = (...values: number[]): WireSample[] =>
  values.map((value) => ({ device_name: 'pc', metric_name: 'm', value, timestamp: 1_700_000_000_000 + value }));
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
/** The values of every batch that waits, in the order in which the backlog is sent. */
function drain(spool: Spool): number[] {
  const values: number[] = [];
  for (let batch = spool.nextOfAll(Infinity); batch; batch = spool.nextOfAll(Infinity)) {
    values.push(...unpack(batch.payload).map(({ value }) => value));
    spool.acknowledge(batch.sequence);
  }
  return values;
}

/** Has the api take the oldest batches. */
function drainSome(spool: Spool, batches: number): void {
  for (let count = 0; count < batches; count += 1) spool.acknowledge(spool.nextOfAll(Infinity)?.sequence ?? 0);
}

describe('the spool', () => {
  it('gives back what was added after it was opened again, oldest first', () => {
    const spool = open();
    spool.add(metrics(1, 2), 0);
    spool.add(metrics(3), 0);
    spool.close();
    expect(drain(open())).toEqual([1, 2, 3]);
  });

  it('holds at most 1,000 samples a batch', () => {
    const spool = open();
    spool.add(metrics(...range(0, 2_500)), 0);
    expect(spool.totals()).toMatchObject({ pendingBatches: 3, pendingSamples: 2_500 });
    expect(spool.nextOfAll(Infinity)?.samples).toBe(1_000);
    expect(drain(spool)).toEqual(range(0, 2_500));
  });

  it('never gives a sequence twice, even when it was empty in between', () => {
    let spool = open();
    spool.add(metrics(1), 0);
    const first = spool.nextOfAll(Infinity)?.sequence;
    drain(spool);
    spool.close();
    spool = open();
    spool.add(metrics(2), 0);
    expect(spool.nextOfAll(Infinity)?.sequence).toBeGreaterThan(first ?? Infinity);
  });

  it('sends batches that have failed after those that have not', () => {
    const spool = open();
    spool.add(metrics(1), 0);
    spool.add(metrics(2), 0);
    spool.failed(spool.nextOfAll(Infinity)?.sequence ?? 0);
    expect(drain(spool)).toEqual([2, 1]);
  });

  it('leaves batches alone whose time has not come', () => {
    const spool = open();
    spool.add(metrics(500), 0);
    expect(spool.nextOfAll(1_700_000_000_499)).toBeUndefined();
    expect(spool.nextAfter(0, 1_700_000_000_499)).toBeUndefined();
    expect(spool.nextAfter(0, 1_700_000_000_500)).toBeDefined();
  });

  it('evicts the oldest batches when it is full, counts them, and keeps the batch in flight', () => {
    const one = open();
    one.add(metrics(1), 0);
    const bytes = one.totals().bytes;
    one.close();

    const spool = open({ maxBytes: 3 * bytes + 2, minFreeBytes: 0 });
    expect([2, 3].map((value) => spool.add(metrics(value), 0))).toEqual([0, 0]);
    const inFlight = spool.nextOfAll(Infinity);
    expect([4, 5].map((value) => spool.add(metrics(value), 0))).toEqual([1, 1]);
    expect(spool.totals()).toMatchObject({ generated: 5, evicted: 2, pendingSamples: 3 });
    spool.acknowledge(inFlight?.sequence ?? 0);
    expect(drain(spool)).toEqual([4, 5]);
  });

  it('stops growing where the disk is nearly full', () => {
    let free = 10_000_000;
    const spool = open({ maxBytes: Infinity, minFreeBytes: 1_000_000 }, () => free);
    spool.add(metrics(1), 0);
    spool.add(metrics(2), 0);
    free = 500_000;
    expect(spool.add(metrics(3), 0)).toBe(1);
    expect(drain(spool)).toEqual([2, 3]);
  });

  it('keeps refused samples in quarantine until a person releases or drops them', () => {
    const spool = open();
    spool.add(metrics(1, 2, 3), 42);
    const [one, two] = metrics(1, 2) as [WireSample, WireSample];
    spool.acknowledge(
      spool.nextOfAll(Infinity)?.sequence ?? 0,
      new Map([
        ['too cold', [one]],
        ['too warm', [two]],
      ]),
    );
    expect(spool.quarantined()).toMatchObject([
      { samples: 1, created: 42, reason: 'too cold', example: one },
      { samples: 1, created: 42, reason: 'too warm', example: two },
    ]);
    const [first, second] = spool.quarantined().map(({ sequence }) => sequence) as [number, number];
    expect([spool.release(first), spool.drop(second), spool.release(999), spool.drop(999)]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    expect(spool.totals()).toMatchObject({
      generated: 3,
      sent: 1,
      dropped: 1,
      pendingSamples: 1,
      quarantinedSamples: 0,
    });
    expect(drain(spool)).toEqual([1]);
  });
});

it('is looked into without a wait for whoever writes, and so that nobody waits', () => {
  const spool = open();
  spool.add(metrics(1), 0);
  spool.quarantine(spool.nextOfAll(Infinity)?.sequence ?? 0, 'no');
  const other = openDatabase(file);
  other.exec('BEGIN IMMEDIATE');
  expect(spool.quarantined()).toHaveLength(1);
  expect(spool.totals()).toMatchObject({ generated: 1, quarantinedSamples: 1 });
  other.close();
});

it('is opened without a write, which a full disk would refuse', () => {
  const spool = open();
  spool.add(metrics(1), 0);
  const { size } = statSync(`${file}-wal`);
  open().close();
  expect(statSync(`${file}-wal`).size).toBe(size);
  spool.close();
});

describe('a damaged file', () => {
  const kept = (): string[] =>
    readdirSync(join(file, '..')).filter((name) => name.includes('.damaged-') && !/-(wal|shm)$/.test(name));

  it('that is no database is set aside', () => {
    writeFileSync(file, 'no database'.repeat(1_000));
    const spool = open();
    spool.add(metrics(1), 0);
    expect(drain(spool)).toEqual([1]);
    expect(kept()).toHaveLength(1);
    expect(damage).toHaveLength(1);
  });

  it('gives what can be read of it, and counts the rest as evicted', () => {
    let spool = open();
    for (const value of range(0, 300)) spool.add(metrics(value), 0);
    drainSome(spool, 20);
    const before = spool.lastSequence;
    spool.close();
    damageMiddle();

    spool = open();
    const totals = spool.totals();
    expect(totals.pendingSamples).toBeGreaterThan(100);
    expect(totals).toMatchObject({ generated: 300, sent: 20, evicted: 280 - totals.pendingSamples });
    expect(spool.lastSequence).toBe(before);
    const values = drain(spool);
    expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
    expect(kept()).toHaveLength(1);
    expect(damage[0]).toContain(`${values.length} batches`);
  });

  it('waits for another try where what can be read of it cannot be written', () => {
    let spool = open();
    for (const value of range(0, 300)) spool.add(metrics(value), 0);
    spool.close();
    damageMiddle();
    // As on a full disk.
    mkdirSync(`${file}.salvaged`);
    expect(open).toThrow();
    expect(kept()).toEqual([]);
    rmdirSync(`${file}.salvaged`);
    spool = open();
    expect(spool.totals().pendingSamples).toBeGreaterThan(100);
    expect(kept()).toHaveLength(1);
  });

  it('is replaced by what was saved of it, whenever a power loss comes', () => {
    let spool = open();
    for (const value of range(0, 300)) spool.add(metrics(value), 0);
    spool.close();
    damageMiddle();
    spool = open();
    const saved = spool.totals();
    spool.close();
    // Between the two renames.
    renameSync(file, `${file}.salvaged`);
    spool = open();
    expect(spool.totals()).toEqual(saved);
  });

  it('is left alone by whoever only looks into it', () => {
    const spool = open();
    for (const value of range(0, 300)) spool.add(metrics(value), 0);
    spool.close();
    damageMiddle();
    expect(() => new Spool(file, UNLIMITED, undefined)).toThrow(expect.objectContaining({ code: 'SQLITE_CORRUPT' }));
    expect(kept()).toEqual([]);
    expect(open().totals().pendingSamples).toBeGreaterThan(100);
  });

  describe('gives whatever its pages hold', () => {
    const BATCHES = 60;
    let whole: Buffer | undefined;

    /** Batches of 100 random values, which take some pages each; gives the size of the file. */
    function filled(): number {
      if (whole) {
        writeFileSync(file, whole);
        return whole.length;
      }
      const spool = open();
      for (let batch = 0; batch < BATCHES; batch += 1) {
        const samples = metrics(...range(batch * 100, batch * 100 + 100));
        spool.add(
          samples.map((sample) => ({ ...sample, labels: { text: randomBytes(30).toString('hex') } })),
          0,
        );
      }
      drainSome(spool, 20);
      spool.close();
      whole = readFileSync(file);
      return whole.length;
    }

    function saved(): number {
      const spool = open();
      const { generated, sent, evicted, pendingSamples } = spool.totals();
      expect({ generated, sent }).toEqual({ generated: BATCHES * 100, sent: 2_000 });
      expect(evicted).toBe(generated - sent - pendingSamples);
      const values = drain(spool);
      expect(values).toHaveLength(pendingSamples);
      expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
      spool.close();
      return pendingSamples;
    }

    it.each([1, 4_096, 40_000, 0.3, 0.6])('when its end is cut off: %d', (cut) => {
      const size = filled();
      const left = Math.floor(cut < 1 ? size * (1 - cut) : size - cut);
      truncateSync(file, left);
      expect(saved()).toBeGreaterThanOrEqual(Math.floor((left / size) * 4_000) - 1_000);
    });

    it.each(['its header', 'its schema'])('when %s is zeroed', (what) => {
      filled();
      const handle = openSync(file, 'r+');
      writeSync(handle, Buffer.alloc(what === 'its header' ? 100 : 4_096), 0, undefined, 0);
      closeSync(handle);
      expect(saved()).toBe(4_000);
    });

    it('when a bit of its schema is flipped', () => {
      let spool = open();
      for (const value of range(0, 30)) spool.add(metrics(value), 0);
      drainSome(spool, 10);
      spool.close();
      const whole = readFileSync(file);
      fc.assert(
        fc.property(fc.integer({ min: 100, max: 4_095 }), fc.nat(7), (at, bit) => {
          const flipped = Buffer.from(whole);
          flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << bit), at);
          rmSync(file);
          writeFileSync(file, flipped);
          spool = open();
          spool.add(metrics(30), 0);
          expect(drain(spool)).toEqual(range(10, 31));
          expect(spool.totals()).toMatchObject({ generated: 31, sent: 31, evicted: 0, pendingSamples: 0 });
          spool.close();
        }),
        { numRuns: 8 },
      );
    });

    it('when the top of its tree is zeroed, and what is in its log too', () => {
      const spool = open();
      for (let batch = 0; batch < 300; batch += 1) spool.add(metrics(batch), 0);
      const db = openDatabase(file);
      const root = db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'batch'`).pluck().get() as number;
      db.pragma('wal_checkpoint(TRUNCATE)');
      db.close();
      for (let batch = 300; batch < 310; batch += 1) spool.add(metrics(batch), 0);
      const [copy, log] = [readFileSync(file), readFileSync(`${file}-wal`)];
      spool.close();
      copy.fill(0, (root - 1) * 4_096, root * 4_096);
      copy.fill(0, 0, 100);
      writeFileSync(file, copy);
      writeFileSync(`${file}-wal`, log);
      expect(drain(open()).length).toBeGreaterThanOrEqual(300);
    });
  });

  /** Two pages of it. */
  function damageMiddle(): void {
    const { size } = statSync(file);
    const handle = openSync(file, 'r+');
    writeSync(handle, Buffer.alloc(8_192, 0xa5), 0, 8_192, Math.floor(size / 8_192) * 4_096);
    closeSync(handle);
  }
});

it('is held by one collector, until that ends', () => {
  const lock = lockSpool(file);
  expect(() => lockSpool(file)).toThrow('another collector');
  lock.close();
  lockSpool(file).close();
  // What a disk has made of the file that is locked keeps nobody out, and lets no second one in.
  writeFileSync(`${file}.lock`, Buffer.alloc(4_096, 0xa5));
  const anew = lockSpool(file);
  expect(() => lockSpool(file)).toThrow('another collector');
  anew.close();
});

(hasSmallDisk ? it : it.skip)('sends, and so makes room, on a disk that another program has filled', () => {
  file = join(folder, 'disk', 'spool.db');
  const spool = open();
  const batch = (): WireSample[] =>
    metrics(...range(0, 100)).map((sample) => ({ ...sample, labels: { text: randomBytes(100).toString('hex') } }));
  for (let count = 0; count < 200; count += 1) spool.add(batch(), 0);
  const other = openSync(join(folder, 'disk', 'other'), 'w');
  const fill = (): void => {
    for (const size of [65_536, 4_096]) {
      try {
        for (;;) writeSync(other, Buffer.alloc(size, 1));
      } catch {
        // Full.
      }
    }
  };
  fill();
  expect(() => {
    for (;;) spool.add(batch(), 0);
  }).toThrow('full');
  const held = spool.totals();
  drainSome(spool, 100);
  spool.addLast(batch(), 0, 7);
  expect(spool.totals()).toMatchObject({
    generated: held.generated + 107,
    sent: 10_000,
    evicted: held.evicted + 7,
    pendingSamples: held.pendingSamples - 10_000 + 100,
  });
  drainSome(spool, 1_000);
  expect(spool.totals()).toMatchObject({ pendingSamples: 0, sent: held.generated + 100 - held.evicted });
  closeSync(other);
  spool.close();
});

describe('whatever happens', () => {
  /** What the spool must hold: the values of each batch, by state. */
  interface Model {
    pending: number[][];
    quarantined: number[][];
    sent: number[];
    dropped: number[];
    next: number;
  }
  interface Real {
    spool: Spool;
  }
  const sorted = (batches: number[][]): number[] => batches.flat().sort((a, b) => a - b);
  function compare(model: Model, { spool }: Real): void {
    expect(spool.totals()).toMatchObject({
      generated: model.next,
      sent: model.sent.length,
      dropped: model.dropped.length,
      evicted: 0,
      pendingBatches: model.pending.length,
      pendingSamples: model.pending.flat().length,
      quarantinedBatches: model.quarantined.length,
      quarantinedSamples: model.quarantined.flat().length,
    });
  }
  /** Does something to the batch that the spool gives next. */
  const step = (
    name: string,
    possible: (batch: number[]) => boolean,
    act: (batch: number[], model: Model, spool: Spool, sequence: number) => void,
  ): fc.Arbitrary<fc.Command<Model, Real>> =>
    fc.constant({
      check: ({ pending }) => pending.length > 0,
      run: (model, real) => {
        const batch = real.spool.nextOfAll(Infinity);
        const values = unpack(batch?.payload ?? Buffer.alloc(0)).map(({ value }) => value);
        const index = model.pending.findIndex((one) => one[0] === values[0]);
        expect(model.pending[index]).toEqual(values);
        if (!possible(values)) return;
        model.pending.splice(index, 1);
        act(values, model, real.spool, batch?.sequence ?? 0);
        compare(model, real);
      },
      toString: () => name,
    });
  const add = fc.integer({ min: 1, max: 12 }).map((count): fc.Command<Model, Real> => ({
    check: () => true,
    run: (model, real) => {
      const values = range(model.next, model.next + count);
      model.next += count;
      model.pending.push(values);
      real.spool.add(metrics(...values), 0);
      compare(model, real);
    },
    toString: () => `add ${count}`,
  }));
  const acknowledge = step(
    'acknowledge',
    () => true,
    (values, model, spool, sequence) => {
      model.sent.push(...values);
      spool.acknowledge(sequence);
    },
  );
  const refuse = step(
    'refuse the first',
    () => true,
    ([first = 0, ...others], model, spool, sequence) => {
      model.sent.push(...others);
      model.quarantined.push([first]);
      spool.acknowledge(sequence, new Map([['no', metrics(first)]]));
    },
  );
  const split = step(
    'split',
    (values) => values.length > 1,
    (values, model, spool, sequence) => {
      const middle = Math.ceil(values.length / 2);
      model.pending.push(values.slice(0, middle), values.slice(middle));
      spool.split(sequence);
    },
  );
  const quarantine = step(
    'quarantine',
    () => true,
    (values, model, spool, sequence) => {
      model.quarantined.push(values);
      spool.quarantine(sequence, 'no');
    },
  );
  const fail = step(
    'fail',
    () => true,
    (values, model, spool, sequence) => {
      model.pending.push(values);
      spool.failed(sequence);
    },
  );
  const free = (name: 'release' | 'drop'): fc.Arbitrary<fc.Command<Model, Real>> =>
    fc.constant({
      check: ({ quarantined }) => quarantined.length > 0,
      run: (model, real) => {
        const [batch] = real.spool.quarantined();
        const index = model.quarantined.findIndex((one) => one[0] === batch?.example?.value);
        const [values = []] = model.quarantined.splice(index, 1);
        if (name === 'release') model.pending.push(values);
        else model.dropped.push(...values);
        expect(real.spool[name](batch?.sequence ?? 0)).toBe(true);
        compare(model, real);
      },
      toString: () => name,
    });
  const restart = fc.constant<fc.Command<Model, Real>>({
    check: () => true,
    run: (model, real) => {
      real.spool.close();
      real.spool = open();
      compare(model, real);
    },
    toString: () => 'restart',
  });

  it('nothing is lost and nothing is double', () => {
    const commands = fc.commands(
      [add, acknowledge, refuse, split, quarantine, fail, free('release'), free('drop'), restart],
      { maxCommands: 40 },
    );
    let run = 0;
    fc.assert(
      fc.property(commands, (steps) => {
        file = join(folder, `model-${(run += 1)}.db`);
        const model: Model = { pending: [], quarantined: [], sent: [], dropped: [], next: 0 };
        const real: Real = { spool: open() };
        fc.modelRun(() => ({ model, real }), steps);
        expect(drain(real.spool).sort((a, b) => a - b)).toEqual(sorted(model.pending));
        real.spool.close();
      }),
      { numRuns: 20 },
    );
  });
});
