import { describe, expect, it } from '@jest/globals';
import { parseText } from './parse-text.js';
import { exporterReadings } from './exporter-readings.js';

describe('the Prometheus text format', () => {
  it('is read with its comments, escapes, exponents and timestamps', () => {
    const text = [
      '# HELP http_requests_total All requests, "quoted" and \\\\ escaped.',
      '# TYPE http_requests_total counter',
      'http_requests_total{method="post",code="200"} 1027 1395066363000',
      'http_requests_total{method="post",code="400",}    3 1395066363000',
      '',
      '# a comment, and # TYPE in it',
      '#',
      'escapes{path="C:\\\\DIR\\\\FILE.TXT",error="Cannot find \\"FILE\\"\\nagain",empty=""} 1.458255915e9',
      '  metric_without_timestamp_and_labels\t12.47  ',
      'spaced { a = "1" , b = "2" } +.5e-3 -3982045',
      'tight{a="}"}1',
      'recording:rule:5m -0',
      'windows 1\r',
      '',
    ].join('\n');
    expect(parseText(text)).toEqual([
      { name: 'http_requests_total', labels: { method: 'post', code: '200' }, value: 1027 },
      { name: 'http_requests_total', labels: { method: 'post', code: '400' }, value: 3 },
      {
        name: 'escapes',
        labels: { path: 'C:\\DIR\\FILE.TXT', error: 'Cannot find "FILE"\nagain', empty: '' },
        value: 1458255915,
      },
      { name: 'metric_without_timestamp_and_labels', labels: {}, value: 12.47 },
      { name: 'spaced', labels: { a: '1', b: '2' }, value: 0.0005 },
      { name: 'tight', labels: { a: '}' }, value: 1 },
      { name: 'recording:rule:5m', labels: {}, value: -0 },
      { name: 'windows', labels: {}, value: 1 },
    ]);
  });

  it('gives histograms and summaries as their series, without NaN and infinities', () => {
    const text = `# TYPE wait histogram
wait_bucket{le="0.1"} 2
wait_bucket{le="+Inf"} 3
wait_sum 0.7
wait_count 3
# TYPE size summary
size{quantile="0.5"} NaN
size{quantile="0.9"} +Inf
size_sum -inf
size_count 0
`;
    expect(exporterReadings(text)).toEqual([
      { metricName: 'wait_bucket', labels: { le: '0.1' }, value: 2 },
      { metricName: 'wait_bucket', labels: { le: '+Inf' }, value: 3 },
      { metricName: 'wait_sum', labels: {}, value: 0.7 },
      { metricName: 'wait_count', labels: {}, value: 3 },
      { metricName: 'size_count', labels: {}, value: 0 },
    ]);
  });

  it('without samples, or with none that is chosen, is a failure', () => {
    expect(() => exporterReadings('# HELP up Nothing.\n')).toThrow('the answer has no samples');
    const nothing = { include: [() => false], exclude: [], units: [] };
    expect(() => exporterReadings('a 1\nb 2\n', '', nothing)).toThrow('include and exclude leave none of 2 samples');
  });

  it('has names of any letters in quotes', () => {
    const text = [
      '# TYPE "http.duration" histogram',
      '{"http.duration_bucket",le="0.1"} 2',
      '{ "http.duration_sum" , "http.route" = "/a" , } 3',
      '# HELP "plain" A name may be in quotes that need not.',
      '{"plain"} 4',
      'plain{"a \\"b\\""="c"} 5',
      '{"Gr\u00f6\u00dfe \ud83d\ude00 in\\ncm"} 6',
      '{":rule"} 7',
      '',
    ].join('\n');
    expect(exporterReadings(text)).toEqual([
      { metricName: 'http.duration_bucket', labels: { le: '0.1' }, value: 2 },
      { metricName: 'http.duration_sum', labels: { 'http.route': '/a' }, value: 3 },
      { metricName: 'plain', labels: {}, value: 4 },
      { metricName: 'plain', labels: { 'a "b"': 'c' }, value: 5 },
      { metricName: 'Gr__e___in_cm', labels: {}, value: 6 },
      { metricName: '_:rule', labels: {}, value: 7 },
    ]);
  });

  it.each([
    ['{} 1', 'line 2: the name of the metric must be in quotes, got "} 1"'],
    ['{a="b"} 1', 'line 2: the name of the metric must be in quotes, got "a=\\"b\\"} 1"'],
    ['{""} 1', 'line 2: a name is empty'],
    ['{"a"', 'line 2: , or } must follow the name of the metric, got the end of the line'],
    ['{"a} 1', 'line 2: the name of the metric must be in quotes, got "\\"a} 1"'],
    ['{"a"="b"} 1', 'line 2: , or } must follow the name of the metric, got "=\\"b\\"} 1"'],
    ['{"a","b"} 1', 'line 2: = must follow the label b, got "} 1"'],
    ['a{"b"} 1', 'line 2: = must follow the label b, got "} 1"'],
    ['{"a",""="b"} 1', 'line 2: a name is empty'],
    ['{"a",b="1","b"="2"} 1', 'line 2: the label b comes twice'],
    ['# TYPE "a gauge', 'line 2: TYPE needs the name of a metric, got "\\"a gauge"'],
    ['9lives 1', 'line 2: must begin with the name of a metric, got "9lives 1"'],
    ['<html>', 'line 2: must begin with the name of a metric, got "<html>"'],
    ['a', 'line 2: has no value'],
    ['a{} ', 'line 2: has no value'],
    ['a one', 'line 2: the value must be a number, got "one"'],
    ['a 0x10', 'line 2: the value must be a number, got "0x10"'],
    ['a 1_000', 'line 2: the value must be a number, got "1_000"'],
    ['a 1 2 3', 'line 2: nothing may follow the timestamp, got "3"'],
    ['a 1 1.5', 'line 2: the timestamp must be whole milliseconds, got "1.5"'],
    ['a{b="1"', 'line 2: , or } must follow the label b, got the end of the line'],
    ['a{b=1} 1', 'line 2: the value of the label b must be in quotes, got "1} 1"'],
    ['a{b="1} 1', 'line 2: the value of the label b must be in quotes, got "\\"1} 1"'],
    ['a{b:c="1"} 1', 'line 2: = must follow the label b, got ":c=\\"1\\"} 1"'],
    ['a{b="1" c="2"} 1', 'line 2: , or } must follow the label b, got "c=\\"2\\"} 1"'],
    ['a{b="1",b="2"} 1', 'line 2: the label b comes twice'],
    ['a{,} 1', 'line 2: must be the name of a label or }, got ",} 1"'],
    ['# TYPE a meter', 'line 2: the type of a must be one of counter, gauge, histogram, summary, untyped, got "meter"'],
    ['# TYPE', 'line 2: TYPE needs the name of a metric, got the end of the line'],
  ])('refuses %j', (line, message) => {
    expect(() => parseText(`ok 1\n${line}`)).toThrow(message);
  });

  it('is read as Prometheus itself reads it: repeated and late HELP and TYPE, no last line feed, unknown escapes', () => {
    const text = [
      '# HELP a First',
      '# HELP a Second',
      '# TYPE a gauge',
      '# TYPE a counter',
      'a{u="domain\\user",p="C:\\temp\\new"} 1',
      '# TYPE a gauge',
      '# HELP a Late',
      '# TYPE h histogram',
      'h_bucket{le="many"} 3',
      'last 2',
    ].join('\n');
    expect(parseText(text)).toEqual([
      { name: 'a', labels: { u: 'domain\\user', p: 'C:\\temp\new' }, value: 1 },
      { name: 'h_bucket', labels: { le: 'many' }, value: 3 },
      { name: 'last', labels: {}, value: 2 },
    ]);
  });

  it('of a series that comes twice gives both, of which the last counts', () => {
    expect(parseText('a{x="1",y="2"} 1\na{y="2",x="1"} 2\n').map(({ value }) => value)).toEqual([1, 2]);
  });

  it('has the times of the exporter where they are asked for', () => {
    const text = 'a 1 1395066363000\nb 2\nc 3 -5\n';
    expect(exporterReadings(text, '', undefined, { timestamps: true })).toEqual([
      { metricName: 'a', labels: {}, value: 1, timestamp: 1_395_066_363_000 },
      { metricName: 'b', labels: {}, value: 2 },
      { metricName: 'c', labels: {}, value: 3, timestamp: -5 },
    ]);
  });

  it('with bad lines is read but for them, unless there are no others', () => {
    const wrong: string[] = [];
    const reject = (part: string, reason: string): void => void wrong.push(`${part}: ${reason}`);
    const read = (text: string): unknown => exporterReadings(text, 'text/plain', undefined, { reject });
    expect(read('a 1\nb N/A\nc{d=} 2\ne 5\n')).toMatchObject([{ metricName: 'a' }, { metricName: 'e', value: 5 }]);
    expect(wrong).toEqual([
      'line 2: the value must be a number, got "N/A"',
      'line 3: the value of the label d must be in quotes, got "} 2"',
    ]);
    expect(() => read('<html>\n<body>\n')).toThrow('line 1: must begin with the name of a metric, got "<html>"');
  });

  it('keeps names apart that become one', () => {
    const text = '{"温度",room="a"} 20\n{"湿度",room="a"} 40\n{"Größe"} 1\n';
    expect(exporterReadings(text)).toEqual([
      { metricName: '__', labels: { room: 'a', name: '温度' }, value: 20 },
      { metricName: '__', labels: { room: 'a', name: '湿度' }, value: 40 },
      { metricName: 'Gr__e', labels: {}, value: 1 },
    ]);
  });
});
