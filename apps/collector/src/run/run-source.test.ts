import { describe, expect, it } from '@jest/globals';
import type { Reading } from '@device-metrics/domain';
import { SourceRunner } from './run-source.js';
import type { Source } from './source.js';
import { Timestamps } from './timestamps.js';
import { nextTurn } from './turns.js';

const AT = 1_768_471_200_000;

function runnerOf(read: Source['read'], timeout = 1_000): { runner: SourceRunner; said: string[] } {
  const said: string[] = [];
  const say = (message: string): void => void said.push(message);
  const runner = new SourceRunner({ name: 'ups', read }, { deviceName: 'rack-ups', timeout }, { log: say, warn: say });
  return { runner, said };
}

describe('a run of a source', () => {
  it('adds device, time and the unit of the catalogue', async () => {
    const { runner } = runnerOf(() =>
      Promise.resolve([
        { metricName: 'hw.temperature', value: 21, labels: { sensor: 'a' } },
        { metricName: 'own', value: 1, unit: 'V', deviceName: 'other' },
      ]),
    );
    expect(await runner.run(AT)).toEqual([
      {
        device_name: 'rack-ups',
        metric_name: 'hw.temperature',
        value: 21,
        unit: 'Cel',
        labels: { sensor: 'a' },
        timestamp: AT,
      },
      { device_name: 'other', metric_name: 'own', value: 1, unit: 'V', timestamp: AT },
    ]);
    expect(runner.outcome).toMatchObject({ success: true, readings: 2, reason: '' });
  });

  it('says once which readings hide each other', async () => {
    const one = { metricName: 'hw.voltage', value: 230 };
    const readings = [one, { ...one, labels: { line: '1' } }, { ...one, value: 231 }, { ...one, deviceName: 'other' }];
    const { runner, said } = runnerOf(() => Promise.resolve(readings));
    for (let run = 0; run < 3; run += 1) expect(await runner.run(AT)).toHaveLength(4);
    expect(said).toEqual([
      'ups: of 4 readings only 3 count, as later ones have the same device, metric and labels: rack-ups hw.voltage {}',
    ]);
  });

  it('says a failure once, and once that it is over', async () => {
    let broken = true;
    const { runner, said } = runnerOf(() => (broken ? Promise.reject(new Error('no answer')) : Promise.resolve([])));
    for (let run = 0; run < 3; run += 1) expect(await runner.run(AT)).toEqual([]);
    expect(runner.outcome).toMatchObject({ success: false, readings: 0, reason: 'no answer' });
    broken = false;
    for (let run = 0; run < 3; run += 1) await runner.run(AT);
    expect(said).toEqual(['ups fails: no answer', 'ups works again']);
  });

  it('ends at the timeout, tells the source so, and runs again when it has let go', async () => {
    let aborted = false;
    const { runner } = runnerOf((signal) => {
      return new Promise<Reading[]>((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted = true;
          reject(new Error('aborted'));
        });
      });
    }, 30);
    await runner.run(AT);
    expect(runner.outcome).toMatchObject({ success: false, reason: 'no answer within 30 ms' });
    expect(aborted).toBe(true);
    await runner.run(AT);
    expect(runner.outcome?.reason).toBe('no answer within 30 ms');
  });

  it('never runs a source twice at once, even one that ignores its signal', async () => {
    let runs = 0;
    const { runner } = runnerOf(() => {
      runs += 1;
      return new Promise<Reading[]>(() => undefined);
    }, 20);
    const first = runner.run(AT);
    expect(await runner.run(AT)).toBeUndefined();
    expect(runner.outcome).toBeUndefined();
    await first;
    await runner.run(AT);
    expect(runs).toBe(1);
    expect(runner.outcome?.reason).toMatch(/^the run that began \d+ ms ago has not ended yet$/);
  });

  it('sends what the api would accept, and says what it would not', async () => {
    const { runner, said } = runnerOf(() =>
      Promise.resolve([
        { metricName: 'good', value: 1 },
        { metricName: 'bad name', value: 1 },
        { metricName: 'nan', value: NaN },
      ]),
    );
    expect(await runner.run(AT)).toHaveLength(1);
    await runner.run(AT);
    expect(said).toEqual([
      expect.stringMatching(/^ups: 2 readings cannot be sent, as bad name: metric_name must be a string/),
    ]);
  });

  it('takes more readings than one upload may carry', async () => {
    const bad = 24_999;
    const { runner, said } = runnerOf(() =>
      Promise.resolve(
        Array.from({ length: 25_000 }, (_, index) => {
          return { metricName: 'm', labels: { index: String(index) }, value: index === bad ? NaN : index };
        }),
      ),
    );
    const values = (await runner.run(AT))?.map(({ value }) => value);
    expect(values).toEqual(Array.from({ length: bad }, (_, index) => index));
    expect(said).toEqual([expect.stringMatching(/^ups: 1 readings cannot be sent/)]);
  });

  it('fails where nothing of it can be sent', async () => {
    const { runner } = runnerOf(() => Promise.resolve([{ metricName: 'nan', value: NaN }]));
    expect(await runner.run(AT)).toEqual([]);
    expect(runner.outcome).toMatchObject({
      success: false,
      reason: expect.stringContaining('nan: value must be a finite number'),
    });
  });

  it('sends what could be read, counts what could not, and says each once per new reason', async () => {
    let voltage = 'must be a number, got "N/A"';
    const { runner, said } = runnerOf((_signal, parts) => {
      parts.reject('input.voltage', voltage);
      parts.reject('output.voltage', voltage);
      return Promise.resolve([{ metricName: 'good', value: 1 }]);
    });
    for (let run = 0; run < 3; run += 1) expect(await runner.run(AT)).toMatchObject([{ metric_name: 'good' }]);
    expect(runner.outcome).toMatchObject({ ended: 'part', success: true, readings: 1, reason: '' });
    expect(runner.outcome?.rejected).toEqual([
      { part: 'input.voltage', reason: voltage },
      { part: 'output.voltage', reason: voltage },
    ]);
    // Another value is not another reason.
    voltage = 'must be a number, got "n. a."';
    await runner.run(AT);
    expect(said).toEqual(['ups: cannot read input.voltage, output.voltage: must be a number, got "N/A"']);
    voltage = 'the driver does not run';
    await runner.run(AT);
    expect(said.slice(1)).toEqual(['ups: cannot read input.voltage, output.voltage: the driver does not run']);
  });

  it('fails where no part could be read', async () => {
    const { runner, said } = runnerOf((_signal, parts) => {
      for (const oid of ['1.3.1', '1.3.2', '1.3.3']) parts.reject(oid, 'the device has no such object');
      return Promise.resolve([]);
    });
    expect(await runner.run(AT)).toEqual([]);
    const reason = '1.3.1: the device has no such object (and 2 parts more)';
    expect(runner.outcome).toMatchObject({ ended: 'failed', success: false, readings: 0, reason });
    expect(said).toEqual([`ups fails: ${reason}`]);
  });

  it.each([
    ['fails', (): Promise<Reading[]> => Promise.reject(new Error('connection cut')), 'connection cut'],
    ['hangs', (): Promise<Reading[]> => new Promise(() => undefined), 'no answer within 20 ms'],
  ])('keeps what was read before it %s', async (_how, rest, reason) => {
    const { runner } = runnerOf((_signal, parts) => {
      parts.keep([{ metricName: 'good', value: 1 }]);
      return rest();
    }, 20);
    expect(await runner.run(AT)).toMatchObject([{ metric_name: 'good', value: 1 }]);
    expect(runner.outcome).toMatchObject({ ended: 'part', rejected: [{ part: 'the rest', reason }] });
  });

  it('counts what the rules refuse among what was not read', async () => {
    const { runner } = runnerOf(() => {
      return Promise.resolve([
        { metricName: 'good', value: 1 },
        { metricName: 'nan', value: NaN },
      ]);
    });
    await runner.run(AT);
    expect(runner.outcome?.rejected).toEqual([{ part: 'nan', reason: 'value must be a finite number, got NaN' }]);
  });

  it('ends when the collector stops', async () => {
    const { runner } = runnerOf(() => new Promise<Reading[]>(() => undefined), 60_000);
    const run = runner.run(AT);
    await runner.close();
    expect(await run).toEqual([]);
  });
});

it('turns come on a fixed grid, however late one is', () => {
  expect([999.7, 1_000, 1_060, 1_499, 1_500, 2_760].map((now) => nextTurn(1_000, 500, now))).toEqual([
    1_500, 1_500, 1_500, 1_500, 2_000, 3_000,
  ]);
});

describe('timestamps', () => {
  it('are the times of the clock, and never the same twice when it is set back', () => {
    let [wall, elapsed] = [AT, 0];
    const timestamps = new Timestamps(
      () => wall,
      () => elapsed,
    );
    const given: number[] = [];
    const tick = (): void => {
      given.push(timestamps.next());
      wall += 10_000;
      elapsed += 10_000;
    };
    for (let run = 0; run < 400; run += 1) tick();
    wall -= 3_600_000;
    for (let run = 0; run < 400; run += 1) tick();
    wall += 7_200_000;
    for (let run = 0; run < 10; run += 1) tick();
    expect(new Set(given).size).toBe(810);
    expect(given[400]).toBe(AT + 400 * 10_000 - 3_600_000 + 1);
    expect(given.at(-1)).toBe(wall - 10_000);
  });
});
