import { describe, expect, it } from '@jest/globals';
import { parseLineProtocol } from './line-protocol.js';

describe('Influx line protocol', () => {
  it('is read with tags, escapes and types', () => {
    const text = [
      '# a comment',
      'cpu,host=a,core=0 usage=12.5,ticks=7i,big=9u,ok=true,name="x, y=z" 1700000000000000000',
      '',
      'disk\\ io,path=C:\\\\a\\ b,e=x\\=y read\\,s=-1e3',
      'temp value=.5\r',
    ].join('\n');
    expect(parseLineProtocol(text)).toEqual([
      { measurement: 'cpu', field: 'usage', tags: { host: 'a', core: '0' }, value: 12.5 },
      { measurement: 'cpu', field: 'ticks', tags: { host: 'a', core: '0' }, value: 7 },
      { measurement: 'cpu', field: 'big', tags: { host: 'a', core: '0' }, value: 9 },
      { measurement: 'cpu', field: 'ok', tags: { host: 'a', core: '0' }, value: 1 },
      { measurement: 'disk io', field: 'read,s', tags: { path: 'C:\\a b', e: 'x=y' }, value: -1000 },
      { measurement: 'temp', field: 'value', tags: {}, value: 0.5 },
    ]);
  });

  it.each([
    ['cpu', 'line 1: must be a measurement and fields'],
    ['a b=1\ncpu usage=', 'line 2: a field must be a name and a value'],
    ['cpu usage=abc', 'line 1: the value of a field must be a number, got "abc"'],
    ['cpu,host usage=1', 'line 1: a tag must be a name and a value'],
    ['cpu usage=1 x', 'line 1: the timestamp must be a whole number, got "x"'],
    ['cpu usage=1 1 2', 'line 1: nothing may follow the timestamp, got "2"'],
    ['cpu name="x', 'line 1: a quote is not closed'],
    [',a=b usage=1', 'line 1: must begin with a measurement'],
  ])('refuses %j', (text, message) => {
    expect(() => parseLineProtocol(text)).toThrow(message);
  });
});
