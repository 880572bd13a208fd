import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HOUR } from '@device-metrics/domain';
import { LocalTime } from './local-time.js';
import { svgChart, type ChartLine } from './svg-chart.js';
import { unitOf } from './quantity.js';

const START = Date.UTC(2026, 0, 15);
interface Options {
  readonly unit?: string | null;
  readonly title?: string;
  readonly hours?: number;
  readonly zone?: string;
}
const chart = (
  lines: ChartLine[],
  { unit = 'By', title = 'a metric', hours = 24, zone = 'UTC' }: Options = {},
): string =>
  svgChart({
    id: 'c1',
    title,
    range: { start: START, end: START + hours * HOUR },
    local: new LocalTime(zone),
    unit: unitOf(unit),
    lines,
  }).text;
const hourly = (values: (number | null)[]): ChartLine => ({
  times: values.map((_, hour) => START + hour * HOUR),
  values,
});
const pathsOf = (svg: string): string[] =>
  [...svg.matchAll(/<path d="([^"]+)" fill="none"/g)].map(([, path]) => path ?? '');

describe('a chart', () => {
  it('has a line for each series, with a title and a description', () => {
    const svg = chart([hourly([1, 2, 3]), hourly([3, 2, 1])]);
    expect(pathsOf(svg)).toHaveLength(2);
    expect(svg).toContain('<title id="c1-title">a metric</title>');
    expect(svg).toMatch(/<desc id="c1-desc">[^<]*15 Jan 2026 00:00:00 to 16 Jan 2026 00:00:00 \(UTC\); lines: 2; /);
    expect(svg).toContain('values between 1\u00A0B and 3\u00A0B.');
  });

  it('leaves a gap where samples are missing, and a dot where one stands alone', () => {
    expect(pathsOf(chart([hourly([1, 2, 1, 2, 1, 2])]))[0]?.match(/M/g)).toHaveLength(1);
    const gap = chart([hourly([1, 2, 1, null, null, 2, 1, 2])]);
    expect(pathsOf(gap)[0]?.match(/M/g)).toHaveLength(2);
    const alone = chart([hourly([1, 2, 1, null, null, 2, null, null, 1, 2])]);
    expect(pathsOf(alone)[0]?.match(/M/g)).toHaveLength(2);
    expect(alone.match(/<circle/g)).toHaveLength(1);
  });

  it('joins the samples of a series that comes less often than there is room for', () => {
    const rare: ChartLine = { times: [0, 5, 10, 15, 20].map((hour) => START + hour * HOUR), values: [1, 2, 3, 4, 5] };
    expect(pathsOf(chart([rare]))[0]?.match(/M/g)).toHaveLength(1);
  });

  it('draws the band between the smallest and the largest', () => {
    const svg = chart([{ ...hourly([5, 5]), band: { low: [0, 0], high: [10, 10] } }]);
    expect(svg).toContain('fill-opacity');
    expect(svg).toContain('values between 0\u00A0B and 10\u00A0B');
  });

  it('has round values on its axes', () => {
    const svg = chart([hourly([0, 3.1 * 2 ** 30])], { hours: 6 });
    const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    expect(texts).toEqual([
      'GiB',
      '0',
      '1',
      '2',
      '3',
      '4',
      ...['15 Jan', '01:00', '02:00', '03:00', '04:00'],
      '05:00',
      '06:00',
    ]);
  });

  const anyNumber = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -0, 1e308, -1e308, 5e-324, 1e15 + 0.125));
  const anyLine = fc
    .array(fc.tuple(fc.integer({ min: -5, max: 30 * HOUR }), fc.option(anyNumber), anyNumber, anyNumber), {
      maxLength: 30,
    })
    .map((points) => points.toSorted(([a], [b]) => a - b))
    .map((points): ChartLine => ({
      times: points.map(([time]) => START + time),
      values: points.map(([, value]) => value),
      band: { low: points.map(([, , low]) => low), high: points.map(([, , , high]) => high) },
    }));
  const constant = fc
    .tuple(anyNumber, fc.integer({ min: 1, max: 10 }))
    .map(([value, length]) => hourly(new Array<number>(length).fill(value)));

  it('is well-formed and within its frame, whatever the values, names and times', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(anyLine, constant), { maxLength: 12 }),
        fc.record({
          unit: fc.oneof(fc.constantFrom('By', '1', 's', 'Cel', '{x}', 'W', null), fc.string({ minLength: 1 })),
          title: fc.string({ unit: 'binary' }),
          hours: fc.double({ min: 0.001, max: 200_000, noNaN: true }),
          zone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/St_Johns', 'Pacific/Apia'),
        }),
        (lines, options) => {
          const svg = chart(lines, options);
          const { texts, attributes } = wellFormed(svg);
          const numbers = attributes
            .filter(([name]) => ['d', 'x', 'y', 'cx', 'cy'].includes(name))
            .map(([, value]) => value);
          const coordinates = numbers.flatMap((value) => value.split(/[MLHVvZ ]+/).filter(Boolean));
          expect(coordinates.filter((number) => !(Number(number) >= 0 && Number(number) <= 720))).toEqual([]);
          if (!/NaN|undefined|Infinity|null/.test(options.title + (options.unit ?? ''))) {
            expect(texts.join(' ') + numbers.join(' ')).not.toMatch(/NaN|undefined|Infinity|null/);
          }
        },
      ),
      { numRuns: process.env['DEVICE_METRICS_LONG'] ? 500 : 5 },
    );
  });
});

/** Reads XML without a doctype, strictly: throws where it is not well-formed. */
function wellFormed(xml: string): { texts: string[]; attributes: [string, string][] } {
  const token = /<(\/?)([a-zA-Z]+)((?:\s+[a-zA-Z-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  const open: string[] = [];
  const texts: string[] = [];
  const attributes: [string, string][] = [];
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const match = token.exec(xml);
    if (!match) throw new Error(`not well-formed at ${at}: ${xml.slice(at, at + 80)}`);
    const [, closes, name = '', inside = '', isEmpty, text] = match;
    if (text !== undefined) texts.push(text);
    else if (closes && open.pop() !== name) throw new Error(`</${name}> closes another element`);
    else if (closes) continue;
    else if (!isEmpty) open.push(name);
    attributes.push(
      ...[...inside.matchAll(/([a-zA-Z-]+)="([^"]*)"/g)].map(([, key = '', value = '']): [string, string] => [
        key,
        value,
      ]),
    );
  }
  expect(open).toEqual([]);
  const all = [...texts, ...attributes.map(([, value]) => value)];
  // eslint-disable-next-line no-control-regex
  const forbidden = /&(?!(amp|lt|gt|quot|#39);)|[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]|\p{Cs}/u;
  expect(all.filter((text) => forbidden.test(text))).toEqual([]);
  return { texts, attributes };
}
