import { describe, expect, it } from '@jest/globals';
import { parseOpenMetrics } from './parse-openmetrics.js';
import { exporterReadings } from './exporter-readings.js';

const exposition = (...lines: string[]): string => [...lines, '# EOF', ''].join('\n');

describe('OpenMetrics', () => {
  it('is read with its types, units, escapes, timestamps and exemplars', () => {
    const text = exposition(
      '# TYPE acme_http_router_request_seconds summary',
      '# UNIT acme_http_router_request_seconds seconds',
      "# HELP acme_http_router_request_seconds Latency though all of ACME's HTTP request router.",
      'acme_http_router_request_seconds_sum{path="/api/v1",method="GET"} 9036.32',
      'acme_http_router_request_seconds_count{path="/api/v1",method="GET"} 807283.0',
      'acme_http_router_request_seconds_created{path="/api/v1",method="GET"} 1605281325.0',
      'acme_http_router_request_seconds{path="/api/v1",method="GET",quantile="0.9"} NaN',
      '# TYPE go_goroutines gauge',
      '# HELP go_goroutines Number of goroutines that currently exist.',
      'go_goroutines 69 1605281325.5',
      '# TYPE process_cpu_seconds counter',
      '# UNIT process_cpu_seconds seconds',
      'process_cpu_seconds_total 4.20072246e+06 # {trace_id="KOO5S4vxi0o"} 0.67 1605281325.1',
      '# TYPE wait histogram',
      'wait_bucket{le="0.01"} 0 # {} 0.01',
      'wait_bucket{le="1.0"} 8 1520879607.789 # {trace_id="\\"x\\"\\n"} 0.67',
      'wait_bucket{le="+Inf"} 17',
      'wait_count 17',
      'wait_sum -324789.3',
      '# TYPE queue gaugehistogram',
      'queue_bucket{le="+Inf"} 2',
      'queue_gcount 2',
      'queue_gsum -1.5',
      '# TYPE mode stateset',
      'mode{mode="auto"} 1',
      'mode{mode="off"} 0',
      '# TYPE build info',
      'build_info{version="1.2",path="C:\\\\x",odd="\\d"} 1',
      'without_type{__proto__="a"} +Inf',
    );
    const labels = { path: '/api/v1', method: 'GET' };
    expect(exporterReadings(text, 'application/openmetrics-text; version=1.0.0; charset=utf-8')).toEqual([
      { metricName: 'acme_http_router_request_seconds_sum', labels, value: 9036.32, unit: 's' },
      { metricName: 'acme_http_router_request_seconds_count', labels, value: 807283 },
      { metricName: 'acme_http_router_request_seconds_created', labels, value: 1605281325, unit: 's' },
      { metricName: 'go_goroutines', labels: {}, value: 69 },
      { metricName: 'process_cpu_seconds_total', labels: {}, value: 4200722.46, unit: 's' },
      { metricName: 'wait_bucket', labels: { le: '0.01' }, value: 0 },
      { metricName: 'wait_bucket', labels: { le: '1.0' }, value: 8 },
      { metricName: 'wait_bucket', labels: { le: '+Inf' }, value: 17 },
      { metricName: 'wait_count', labels: {}, value: 17 },
      { metricName: 'wait_sum', labels: {}, value: -324789.3 },
      { metricName: 'queue_bucket', labels: { le: '+Inf' }, value: 2 },
      { metricName: 'queue_gcount', labels: {}, value: 2 },
      { metricName: 'queue_gsum', labels: {}, value: -1.5 },
      { metricName: 'mode', labels: { mode: 'auto' }, value: 1 },
      { metricName: 'mode', labels: { mode: 'off' }, value: 0 },
      { metricName: 'build_info', labels: { version: '1.2', path: 'C:\\x', odd: '\\d' }, value: 1 },
    ]);
    expect(parseOpenMetrics(text).at(-1)).toMatchObject({ name: 'without_type', value: Infinity });
  });

  it('has names of any letters in quotes', () => {
    const text = exposition(
      '# TYPE "http.requests" counter',
      '# UNIT "http.requests" ',
      '{"http.requests_total","http.route"="/a"} 3 1.5 # {"trace.id"="x"} 1',
      '# TYPE "room.temperature_celsius" gauge',
      '# UNIT "room.temperature_celsius" celsius',
      '{"room.temperature_celsius"} 21.5',
    );
    expect(exporterReadings(text, 'application/openmetrics-text')).toEqual([
      { metricName: 'http.requests_total', labels: { 'http.route': '/a' }, value: 3 },
      { metricName: 'room.temperature_celsius', labels: {}, value: 21.5, unit: 'Cel' },
    ]);
  });

  it('may have a counter beside a gauge of one name, as every program with the Go client has', () => {
    const text = exposition(
      '# TYPE a gauge',
      'a 1',
      '# HELP a All.',
      '# TYPE a counter',
      'a_total 2',
      '# TYPE b gauge',
    );
    expect(parseOpenMetrics(text)).toEqual([
      { name: 'a', labels: {}, value: 1 },
      { name: 'a_total', labels: {}, value: 2 },
    ]);
  });

  it('takes the last of several points, and an answer with nothing in it', () => {
    expect(parseOpenMetrics(exposition('a 1 1', 'a 2 2.5', 'a 3 1e9'))).toEqual([{ name: 'a', labels: {}, value: 3 }]);
    expect(parseOpenMetrics('# EOF')).toEqual([]);
  });

  it.each([
    ['a 1\n', 'line 2: # EOF is missing; the answer seems cut off'],
    ['', 'line 1: # EOF is missing'],
    ['# EOF\na 1\n', 'line 2: nothing may follow # EOF'],
    ['# EOF\n\n', 'line 2: nothing may follow # EOF'],
    ['# EOF \n', 'line 1: must be # HELP, # TYPE, # UNIT with a name and text, or # EOF, got "# EOF "'],
    [exposition('a 1', '', 'b 1'), 'line 2: is empty'],
    [exposition('# a comment'), 'line 1: must be # HELP, # TYPE, # UNIT'],
    [exposition('#TYPE a gauge'), 'line 1: must be # HELP, # TYPE, # UNIT'],
    [exposition('# TYPE a untyped'), 'line 1: the type of a must be one of unknown, gauge, counter'],
    [exposition('# TYPE a gauge', '# TYPE a gauge'), 'line 2: a second TYPE of a'],
    [exposition('# TYPE a gauge', 'a 1', '# TYPE a gauge'), 'line 3: a second TYPE of a'],
    [
      exposition('# TYPE a gauge', 'a 1', '# TYPE a counter', 'a_total 1', '# TYPE a counter'),
      'line 5: a second TYPE of a',
    ],
    [exposition('# TYPE a gauge', 'a 1', '# HELP a All.', 'a 2'), 'line 4: a comes twice with the same labels'],
    [exposition('# TYPE "a gauge'), 'line 1: must be # HELP, # TYPE, # UNIT with a name and text'],
    [exposition('# TYPE "" gauge'), 'line 1: a name is empty'],
    [exposition('{"a" } 1'), 'line 1: , or } must follow the name of the metric, got " } 1"'],
    [exposition('{"a",} 1'), 'line 1: must be the name of a label or }, got "} 1"'],
    [exposition('# TYPE "a" counter', '{"a"} 1'), 'line 2: a is a counter; its samples are a_total, a_created'],
    [exposition('a 1', '# TYPE a gauge'), 'line 2: the TYPE of a must come before its samples'],
    [exposition('# TYPE a gauge', '# TYPE b gauge', 'a 1'), 'line 3: the lines of a must stand together'],
    [exposition('# UNIT a seconds'), 'line 1: a must end with its unit, _seconds'],
    [exposition('# TYPE a_s info', '# UNIT a_s s'), 'line 2: a metric of type info has no unit'],
    [exposition('# TYPE a counter', 'a 1'), 'line 2: a is a counter; its samples are a_total, a_created'],
    [exposition('# TYPE a counter', 'a_total -1'), 'line 2: a_total counts, and so must be 0 or more, got -1'],
    [exposition('# TYPE a counter', 'a_total NaN'), 'line 2: a_total counts, and so must be 0 or more, got NaN'],
    [exposition('# TYPE a histogram', 'a_bucket 1'), 'line 2: the label le of a_bucket must be a number, got nothing'],
    [exposition('# TYPE a histogram', 'a_bucket{le="1"} 1'), 'line 3: the histogram a before this line has no bucket'],
    [
      exposition('# TYPE a histogram', 'a_bucket{le="1"} 2', 'a_bucket{le="+Inf"} 1'),
      'line 3: the buckets of a_bucket add up, but 1 comes after 2',
    ],
    [
      exposition('# TYPE a histogram', 'a_bucket{le="1"} 2', 'a_bucket{le="0.5"} 2'),
      'line 3: the buckets of a_bucket must grow, got le="0.5" after 1',
    ],
    [
      exposition('# TYPE a summary', 'a{quantile="2"} 1'),
      'line 2: the label quantile of a must be from 0 to 1, got "2"',
    ],
    [exposition('# TYPE a stateset', 'a{a="x"} 2'), 'line 2: a state of a must be 0 or 1, got 2'],
    [exposition('# TYPE a stateset', 'a 1'), 'line 2: a state of a must have the label a'],
    [exposition('# TYPE a info', 'a_info 2'), 'line 2: a_info must be 1, got 2'],
    [exposition('a 1', 'a 2'), 'line 2: a comes twice with the same labels'],
    [exposition('# TYPE a gauge', 'a 1', 'a 2'), 'line 3: a comes twice with the same labels'],
    [exposition('# TYPE a gauge', 'a 1 2', 'a 1 1'), 'line 3: the timestamps of a must grow'],
    [exposition('a  1'), 'line 1: has no value'],
    [exposition('a\t1'), 'line 1: one space must stand before the value, got "\\t1"'],
    [exposition('a 1 NaN'), 'line 1: the timestamp must be seconds since 1970, got "NaN"'],
    [exposition('a 0x1'), 'line 1: the value must be a number, got "0x1"'],
    [exposition('a 1 2 3'), 'line 1: only an exemplar may follow, got " 3"'],
    [exposition('a 1 # {} 1'), 'line 1: a may have no exemplar; buckets and counters may'],
    [exposition('# TYPE a counter', 'a_total 1 # {a="b"}'), 'line 2: one space must stand before the value of the'],
    [
      exposition('# TYPE a counter', `a_total 1 # {a="${'é'.repeat(128)}"} 1`),
      'line 2: an exemplar may have 128 characters, got 129',
    ],
    [exposition('a{b="1",} 1'), 'line 1: must be the name of a label or }, got "} 1"'],
    [exposition('a{b = "1"} 1'), 'line 1: = must follow the label b'],
    ['a 1\r\n# EOF\r\n', 'line 1: the value must be a number, got "1\\r"'],
  ])('refuses %j', (text, message) => {
    expect(() => parseOpenMetrics(text)).toThrow(message);
  });

  it('may have a series twice at an equal timestamp: the last counts', () => {
    expect(parseOpenMetrics(exposition('# TYPE a gauge', 'a 1 5', 'a 2 5'))).toEqual([
      { name: 'a', labels: {}, value: 2 },
    ]);
  });

  it('has the times of the exporter where they are asked for', () => {
    const samples = parseOpenMetrics(exposition('a 1 1605281325.5', 'b 2'), { timestamps: true });
    expect(samples).toEqual([
      { name: 'a', labels: {}, value: 1, timestamp: 1_605_281_325_500 },
      { name: 'b', labels: {}, value: 2 },
    ]);
  });

  it('with bad lines, or cut off, is read but for them', () => {
    const wrong: string[] = [];
    const reject = (part: string, reason: string): void => void wrong.push(`${part}: ${reason}`);
    const text = '# TYPE h histogram\nh_bucket{le="1"} 1\n# TYPE a counter\na_total -1\na_total{b="c"} 2\nd 3\ne 1';
    expect(parseOpenMetrics(text, { reject }).map(({ name, value }) => [name, value])).toEqual([
      ['h_bucket', 1],
      ['a_total', 2],
      ['d', 3],
    ]);
    expect(wrong).toEqual([
      'line 3: the histogram h before this line has no bucket le="+Inf"',
      'line 4: a_total counts, and so must be 0 or more, got -1',
      'line 7: the last line must end with a line feed; the answer seems cut off',
      'line 7: # EOF is missing; the answer seems cut off',
    ]);
  });
});
