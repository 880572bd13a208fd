import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseLineProtocol } from './line-protocol.js';

describe('Influx line protocol', () => {
  it('is read with tags, escapes and types', () => {
    const text = [
      '# a comment',
      'cpu,host=a,core=0 usage=12.5,ticks=7i,big=9u,ok=true,name="x, y=z" 1700000000000000000',
      '',
      'disk\\ io,path=\\\\srv\\a\\ b,e=x\\=y read\\,s=-1e3',
      'temp value=.5\r',
    ].join('\n');
    expect(parseLineProtocol(text)).toEqual([
      { measurement: 'cpu', field: 'usage', tags: { host: 'a', core: '0' }, value: 12.5 },
      { measurement: 'cpu', field: 'ticks', tags: { host: 'a', core: '0' }, value: 7 },
      { measurement: 'cpu', field: 'big', tags: { host: 'a', core: '0' }, value: 9 },
      { measurement: 'cpu', field: 'ok', tags: { host: 'a', core: '0' }, value: 1 },
      { measurement: 'disk io', field: 'read,s', tags: { path: '\\\\srv\\a b', e: 'x=y' }, value: -1000 },
      { measurement: 'temp', field: 'value', tags: {}, value: 0.5 },
    ]);
  });

  it.each([
    ['cpu', 'line 1: must be a measurement and fields'],
    ['a b=1\ncpu usage=', 'line 2: a field must be a name and a value'],
    ['cpu usage=abc', 'line 1: the field "usage" must be a number, got "abc"'],
    ['cpu,host usage=1', 'line 1: a tag must be a name and a value'],
    ['cpu usage=1 x', 'line 1: the timestamp must be a whole number, got "x"'],
    ['cpu usage=1 1 2', 'line 1: nothing may follow the timestamp, got "2"'],
    ['cpu name="x', 'line 1: a quote is not closed'],
    [',a=b usage=1', 'line 1: must begin with a measurement'],
    ['cpu,a=1,b=2,a=1 usage=1', 'line 1: a tag comes twice'],
  ])('refuses %j', (text, message) => {
    expect(() => parseLineProtocol(text)).toThrow(message);
  });

  it('has integers of 64 bits and no longer ones', () => {
    const integer = fc.oneof(
      fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
      fc.constantFrom(-(2n ** 63n), 2n ** 63n, 2n ** 64n),
    );
    fc.assert(
      fc.property(integer, fc.constantFrom(-1n, 0n, 1n), fc.constantFrom('i', 'u'), (near, step, kind) => {
        const value = near + step;
        const read = (): number | undefined => parseLineProtocol(`a f=${value}${kind}`)[0]?.value;
        const isThere = kind === 'i' ? BigInt.asIntN(64, value) === value : BigInt.asUintN(64, value) === value;
        if (isThere) expect(read()).toBe(Number(value));
        else expect(read).toThrow(/^line 1: the field "f" must be (an integer of at most 64 bits|a number), got/);
      }),
    );
  });

  it('knows quotes around the text of a field only', () => {
    expect(parseLineProtocol('monitor,name=Samsung\\ 27" power=30.5\nm"x,"t"=" "f"=1')).toEqual([
      { measurement: 'monitor', field: 'power', tags: { name: 'Samsung 27"' }, value: 30.5 },
      { measurement: 'm"x', field: '"f"', tags: { '"t"': '"' }, value: 1 },
    ]);
  });

  it('is read with all that its specification allows', () => {
    const text = [
      'a,x=1  f=1   1700000000000000000 ',
      '\t b text="first\\" line\nsecond, line=2 # 3",f=-.5E-3,g=7u,h=T,i=FALSE',
      'C:\\dir,p=C:\\Users\\x f=1',
      'm\\,n,k\\=1=v\\,w f\\ g=2i',
      'b,p=\\\\srv\\\\x,q=C:\\\\,r=1 f=1',
      'last f=3\r',
    ].join('\n');
    expect(parseLineProtocol(text)).toEqual([
      { measurement: 'a', field: 'f', tags: { x: '1' }, value: 1 },
      { measurement: 'b', field: 'f', tags: {}, value: -0.0005 },
      { measurement: 'b', field: 'g', tags: {}, value: 7 },
      { measurement: 'b', field: 'h', tags: {}, value: 1 },
      { measurement: 'b', field: 'i', tags: {}, value: 0 },
      { measurement: 'C:\\dir', field: 'f', tags: { p: 'C:\\Users\\x' }, value: 1 },
      { measurement: 'm,n', field: 'f g', tags: { 'k=1': 'v,w' }, value: 2 },
      { measurement: 'b', field: 'f', tags: { p: '\\\\srv\\\\x', q: 'C:\\,r=1' }, value: 1 },
      { measurement: 'last', field: 'f', tags: {}, value: 3 },
    ]);
  });

  it.each([
    ['ns', '1700000000123456789', 1_700_000_000_123],
    ['us', '1700000000123456', 1_700_000_000_123],
    ['ms', '1700000000123', 1_700_000_000_123],
    ['s', '1700000000', 1_700_000_000_000],
  ] as const)('has its times in %s where they are asked for', (precision, text, timestamp) => {
    expect(parseLineProtocol(`a f=1 ${text}`, { timestamps: true, precision })).toMatchObject([{ timestamp }]);
    expect(parseLineProtocol('a f=1', { timestamps: true, precision })[0]).not.toHaveProperty('timestamp');
  });

  it('with a bad line or field is read but for it', () => {
    const wrong: string[] = [];
    const reject = (part: string, reason: string): void => void wrong.push(`${part}: ${reason}`);
    const text = 'a f=1\nb f=N/A,g=2\nc,t f=1\nd name="open\ne f=3\nf g="x"\ng h=4';
    expect(parseLineProtocol(text, { reject }).map(({ measurement, value }) => [measurement, value])).toEqual([
      ['a', 1],
      ['b', 2],
      ['e', 3],
      ['g', 4],
    ]);
    expect(wrong).toEqual([
      'line 2: the field "f" must be a number, got "N/A"',
      expect.stringMatching(/^line 3: a tag must be a name and a value/),
      expect.stringMatching(/^line 4: a field must be a name and a value/),
    ]);
  });

  it('takes no longer for a text full of open quotes', () => {
    const text = 'a b="x\n'.repeat(40_000);
    let rejected = 0;
    expect(parseLineProtocol(text, { reject: () => (rejected += 1) })).toEqual([]);
    expect(rejected).toBe(40_000);
  });
});
