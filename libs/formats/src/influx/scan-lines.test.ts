import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { Labels } from '@device-metrics/domain';
import fc from 'fast-check';
import { parseLineProtocol, PRECISIONS, type SaidPrecision } from './line-protocol.js';
import type { MakeLineGroup } from './known-lines.js';
import { LineScanner, TooManyFieldsError, type ScannedLines } from './scan-lines.js';

const receivedAt = Date.UTC(2026, 0, 15);

/** Series that are named once more wherever they can be. */
class Group {
  readonly length: number;

  constructor(
    private readonly named: readonly string[],
    private readonly again?: () => readonly string[],
  ) {
    this.length = named.length;
  }

  get series(): readonly string[] {
    const series = this.again?.() ?? this.named;
    expect(series).toEqual(this.named);
    return series;
  }
}

const groupOf: MakeLineGroup<string, Group> = (series, again) => new Group(series, again);

const scannerOf = (mostFields = 1_000): LineScanner<string, Group> =>
  new LineScanner(
    (measurement, tags) => (field) => ({ series: JSON.stringify([measurement, tags, field]) }),
    groupOf,
    mostFields,
  );

const scan = (scanner: LineScanner<string, Group>, text: string | Uint8Array, precision: SaidPrecision = 'ns') =>
  scanner.scan(typeof text === 'string' ? Buffer.from(text) : text, { precision, receivedAt });

const seriesOf = ({ series, groups = [] }: ScannedLines<string, Group>): readonly string[] =>
  series ?? groups.flatMap((group) => group.series);

/** What both say of a text, in one form. */
function byBytes(scanned: ScannedLines<string, Group>): unknown {
  const { timestamps, values, wrong } = scanned;
  return {
    samples: seriesOf(scanned).map((name, at) => [name, timestamps[at], values[at]]),
    wrong: wrong.map(({ line, reason }) => `line ${line}: ${reason}`),
  };
}
function byText(text: string, precision: SaidPrecision): unknown {
  const wrong: string[] = [];
  const reject = (part: string, reason: string): void => void wrong.push(`${part}: ${reason}`);
  const fields = parseLineProtocol(text, { reject, timestamps: true, precision });
  return {
    samples: fields.map(({ measurement, tags, field, timestamp = receivedAt, value }) => [
      JSON.stringify([measurement, tags, field]),
      timestamp,
      value,
    ]),
    wrong,
  };
}

const name = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      'cpu',
      'm',
      'm\u0000',
      'host',
      'usage_idle',
      'a\\ b',
      'c\\,d',
      'e\\=f',
      'ü',
      'C:\\x',
      '"q"',
      'unit',
    ),
  },
  {
    weight: 1,
    arbitrary: fc.string({
      minLength: 1,
      maxLength: 4,
      unit: fc.constantFrom('a', '\\', ',', '=', ' ', '\r', '#', '"'),
    }),
  },
);
const value = fc.oneof(
  { weight: 5, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  { weight: 3, arbitrary: fc.maxSafeInteger().map((integer) => `${integer}i`) },
  { weight: 2, arbitrary: fc.tuple(fc.integer(), fc.nat(9999)).map(([a, b]) => `${a}.${b}`) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      '5.',
      '.5',
      '-.5',
      '+1',
      '-0',
      '-0i',
      '1e3',
      '1E-400',
      '1e400',
      '-1u',
      '7u',
      '1.5i',
      '-',
      '.',
      '',
      'N/A',
      'NaN',
      'Inf',
      't',
      'FALSE',
      'True',
      '9223372036854775807i',
      '0.1000000000000000055511151231257827',
      '123456789012345.6',
      '00000000000000000001',
      '1_000',
      '0x10',
      '"text"',
      '"V"',
      '"a \\" b, c=1\nd e=2"',
      '"',
      '"x"y',
      '"\\',
      '1\r',
    ),
  },
);
const timestamp = fc.oneof(
  { weight: 3, arbitrary: fc.constant('') },
  { weight: 3, arbitrary: fc.integer({ min: Date.UTC(2020), max: Date.UTC(2030) }).map((ms) => ` ${ms}123456`) },
  { weight: 2, arbitrary: fc.bigInt(-(10n ** 20n), 10n ** 20n).map((time) => ` ${time}`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ' 0',
      ' -1',
      ' -1000001',
      ' 12',
      ' 1.5',
      ' x',
      ' ',
      '  17 ',
      ' 1 2',
      '\t9',
      ' 9\t',
      ' 1e9',
      ' 00017',
    ),
  },
);
const join = (separator: string) => (parts: string[]) => parts.join(separator);
const line = fc
  .tuple(
    fc.constantFrom('', '', '', ' ', '\t', '# '),
    fc
      .tuple(name, fc.array(fc.tuple(name, name).map(join('=')), { maxLength: 3 }))
      .map(([first, tags]) => [first, ...tags].join(',')),
    fc.constantFrom(' ', ' ', ' ', '  ', '\t', ' \t', ''),
    fc.array(fc.tuple(name, value).map(join('=')), { minLength: 1, maxLength: 4 }).map(join(',')),
    timestamp,
    fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n', '', '\r'),
  )
  .map(join(''));
const text = fc.array(line, { maxLength: 6 }).map(join(''));

describe('lines read from bytes', () => {
  it('are what the parser of texts reads, and refused for the same reasons, however well the scanner knows them', async () => {
    const scanner = scannerOf(50);
    await fc.assert(
      fc.asyncProperty(
        fc.array(text, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...PRECISIONS, 'auto' as const),
        async (texts, precision) => {
          for (const one of [...texts, ...texts]) {
            expect(byBytes(await scan(scanner, one, precision))).toEqual(byText(one, precision));
          }
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 30_000 : 80 },
    );
  });

  it('are that also after any byte of them has become another', async () => {
    const scanner = scannerOf(50);
    await fc.assert(
      fc.asyncProperty(text, fc.nat(), fc.nat(127), fc.boolean(), async (whole, where, other, cut) => {
        const bytes = Buffer.from(whole);
        if (bytes.length > 0 && !cut) bytes[where % bytes.length] = other;
        const one = Buffer.from((cut ? bytes.subarray(0, where % (bytes.length + 1)) : bytes).toString()).toString();
        if (one.includes('\uFFFD')) return;
        expect(byBytes(await scan(scanner, one))).toEqual(byText(one, 'ns'));
      }),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 20_000 : 80 },
    );
  });

  it('are that also where they are as those before, or nearly so', async () => {
    let groups = 0;
    const fields = ['a', 'b\\ c', 'c', 'd', 'unit'].map((one, at) => `${one}=${at}.5`);
    const nearly = fc.record({
      measurement: fc.constantFrom('m', 'm,host=x'),
      fields: fc.oneof(
        { weight: 4, arbitrary: fc.constant(fields) },
        { weight: 1, arbitrary: fc.subarray(fields, { minLength: 1 }) },
        { weight: 1, arbitrary: fc.shuffledSubarray(fields, { minLength: 1 }) },
        { weight: 1, arbitrary: fc.array(fc.constantFrom(...fields), { minLength: 1, maxLength: 6 }) },
      ),
      change: fc.option(fc.tuple(fc.nat(), value), { freq: 3 }),
      timestamp: fc.constantFrom('', ' 1768471200000000000', ' 1768471200000000000', ' 17x', '  '),
    });
    const nearlyLine = nearly.map(({ measurement, fields: sent, change, timestamp: at }) => {
      const [place, other] = change ?? [0, ''];
      const changed = sent.map((one, index) =>
        change && index === place % sent.length ? one.replace(/[^=]*$/, other) : one,
      );
      return `${measurement} ${changed.join(',')}${at}\n`;
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(nearlyLine, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
        async (bodies) => {
          const scanner = scannerOf(50);
          for (const body of bodies.map(join(''))) {
            const scanned = await scan(scanner, body);
            expect(byBytes(scanned)).toEqual(byText(body, 'ns'));
            if (scanned.groups && scanned.values.length > 0) groups += 1;
          }
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 10_000 : 80 },
    );
    expect(groups).toBeGreaterThan(0);
  });

  it('are groups where each has all numbers of its names in their order', async () => {
    const scanner = scannerOf();
    const groupsOf = async (...lines: string[]): Promise<number[] | undefined> =>
      (await scan(scanner, lines.join('\n'))).groups?.map(({ length }) => length);
    expect(await groupsOf('m a=1,b=2,t="x"', 'n a=1')).toEqual([2, 1]);
    expect(await groupsOf('n a=2', '# b', 'bad', 'm a=t,b=2i,t="y" 7', 'n a=3', 'm t="z"', 'm a=1,b=2 x')).toEqual([
      1, 2, 1,
    ]);
    for (const other of ['m b=1,a=2,t="x"', 'm a=1,t="x"', 'm a=1,b=2', 'm a=1,b=2,b=3,t="x"', 'm a=1,b=N/A,t="x"']) {
      expect(await groupsOf('n a=1', other)).toBeUndefined();
    }
    const [before, after] = [await scan(scanner, 'n a=1'), await scan(scanner, 'n a=2')];
    expect(before.groups?.[0]).toBe(after.groups?.[0]);
    expect(await groupsOf('m a=1,b=2,t=3')).toEqual([3]);
    expect(await groupsOf('m a=1,b=2,t="x"')).toBeUndefined();
  });

  it('are that in their turns too, each with the conversion of its field', async () => {
    const meaning =
      (_measurement: string, { host }: Labels) =>
      (field: string) => ({
        series: `${host} ${field}`,
        conversion: field.endsWith('3') ? { unit: '1', factor: 100, offset: 1 } : undefined,
      });
    const scanner = new LineScanner(meaning, groupOf, 10_000);
    const expected: [series: string, value: number][] = [];
    const bodyOf = (turn: number): string => {
      expected.length = 0;
      const lines = Array.from({ length: 300 }, (_, at) => {
        // Now and then there is one less, or a text in its place.
        const left = at % 97 === turn ? at % 70 : -1;
        const sent = Array.from({ length: 70 }, (_field, field) => {
          if (field === left) return turn === 5 ? [] : [`f${field}="x"`];
          expected.push([`${at % 60} f${field}`, field % 10 === 3 ? (at + field) * 100 + 1 : at + field]);
          return [`f${field}=${at + field}`];
        });
        return `m,host=${at % 60} ${sent.flat().join(',')}\n`;
      });
      return lines.join('');
    };
    for (const turn of [97, 97, 5, 97, 7, 97]) {
      const body = bodyOf(turn);
      const scanned = await scan(scanner, body);
      // Of 21,000 pairs Jest's own comparison takes most of the time of this file.
      expect(
        isDeepStrictEqual(
          seriesOf(scanned).map((one, at) => [one, scanned.values[at]]),
          expected,
        ),
      ).toBe(true);
      expect(scanned.groups !== undefined).toBe(turn === 97);
    }
  });

  it('give back every double, bit for bit', async () => {
    const scanner = scannerOf();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { minLength: 1 }),
        async (numbers) => {
          const body = numbers.map((number, at) => `m f${at}=${Object.is(number, -0) ? '-0' : number}`).join('\n');
          const { values } = await scan(scanner, body);
          numbers.forEach((number, at) => expect(Object.is(values[at], number)).toBe(true));
        },
      ),
    );
  });

  it('that are no UTF-8 are refused where they name something, and the others are taken', async () => {
    const bad = (before: string, after: string): Buffer =>
      Buffer.concat([Buffer.from(before), Buffer.from([0xc3, 0x28]), Buffer.from(after)]);
    const body = Buffer.concat([
      bad('m,host=', ' f=1\n'),
      bad('m,host=a ', '=1,g=2\n'),
      bad('m,host=a g="', '",f=3\n'),
      Buffer.from('m,host=a f=4\n'),
    ]);
    const { values, wrong } = await scan(scannerOf(), body);
    expect([...values]).toEqual([2, 3, 4]);
    expect(wrong).toEqual([
      { line: 1, reason: 'must be UTF-8' },
      { line: 2, reason: 'the name of a field must be UTF-8' },
    ]);
  });

  it('know the line of each of their numbers, also behind texts with line feeds', async () => {
    const { values, lineOf, texts, newTexts } = await scan(scannerOf(), 'a f=1,g=2\n\nb t="x\ny",f=3\n# c\nbad\nd f=4');
    expect([...values].map((_, at) => lineOf(at))).toEqual([1, 1, 3, 7]);
    expect([texts, newTexts]).toEqual([1, ['b t']]);
  });

  it('give no message for more wrong lines than asked for, and count them', async () => {
    const { wrong, wrongCount } = await scannerOf().scan(Buffer.from('bad\n'.repeat(50)), {
      precision: 'ns',
      receivedAt,
      mostWrong: 3,
    });
    expect([wrong.map(({ line }) => line), wrongCount]).toEqual([[1, 2, 3], 50]);
  });

  it('with more numbers than anybody sends at once are refused', async () => {
    const body = `m ${Array.from({ length: 500_001 }, (_, at) => `f${at % 7}=1`).join(',')}`;
    await expect(scan(scannerOf(), body)).rejects.toThrow(TooManyFieldsError);
  });

  it('that are long and wrong are not searched for what, and cost the others nothing', async () => {
    const many = Array.from({ length: 10_000 }, (_, at) => `t${at}=v`).join(',');
    const { values, wrong } = await scan(
      scannerOf(),
      `m,${many} f=1\nm f=2\nm ${many},\nm f=${'1'.repeat(60_000)}i\nm f=3\nm f=${'1'.repeat(1e6)}\nm f=1 ${'1'.repeat(9e4)}\nm f=4`,
    );
    expect([...values]).toEqual([2, 3, 4]);
    expect(wrong.map(({ line, reason }) => `${line} ${reason.slice(0, 40)}`)).toEqual([
      '1 is wrong: a line of 78895 bytes is not s',
      '3 is wrong: a line of 78892 bytes is not s',
      '4 the field "f" must be a number, got "111',
      '6 is wrong: a line of 1000004 bytes is not',
      '7 is wrong: a line of 90006 bytes is not s',
    ]);
  });

  it('with many names cost no more than others', async () => {
    const scanner = scannerOf(100);
    const fields = Array.from({ length: 20_000 }, (_, at) => `f${at}=1`);
    for (const body of [`m ${fields.join(',')}`, `m ${fields.reverse().join(',')}`]) {
      expect((await scan(scanner, body)).series).toHaveLength(20_000);
    }
  });
});
