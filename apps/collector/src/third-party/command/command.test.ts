import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from '@jest/globals';
import { Device, memoryGrowth, mistakesOf, NOW } from '../../../test/third-party/device.js';
import { TestFolder, until } from '../../../test/harness.js';

describe('a program', () => {
  const folder = new TestFolder();
  afterAll(() => folder.remove());
  const device = (script: string, others: object = {}): Device =>
    new Device({ protocol: 'command', command: [process.execPath, '-e', script], timeout: '60s', ...others });

  it('gives the readings that it writes as JSON, in base units', async () => {
    const script = `console.log(JSON.stringify([
      { metric_name: 'hw.temperature', value: 212, unit: '°F', labels: { disk: 'sda' } },
      { metric_name: 'size', value: 2, unit: 'KiB', device_name: 'nas' }]))`;
    expect(await device(script).read()).toEqual([
      { device_name: 'rack', metric_name: 'hw.temperature', value: 100, unit: 'Cel', labels: { disk: 'sda' } },
      { device_name: 'nas', metric_name: 'size', value: 2048, unit: 'By' },
    ]);
    expect(await device(';').read()).toEqual([]);
  });

  it('gives what a mapping makes of its JSON', async () => {
    const script = `console.log('{"chip": {"temp1_input": 41.5}}')`;
    const mapping = '{"metric_name": "hw.temperature", "value": chip.temp1_input}';
    expect(await device(script, { mapping }).values()).toEqual({ 'hw.temperature Cel': 41.5 });
  });

  it('gives line protocol with units', async () => {
    const script = `console.log('mem,host=a used=512,share=25 1'); console.log('up value=1i')`;
    const units = { 'mem.used': 'MiB', '*.share': '%' };
    expect(await device(script, { format: 'influx', units }).values()).toEqual({
      'mem.used{host=a} By': 512 * 2 ** 20,
      'mem.share{host=a} 1': 0.25,
      up: 1,
    });
  });

  it('of whose output one part is wrong gives the others', async () => {
    const lines = device(`console.log('a f=1\\nb f=N/A,g=2\\nnonsense\\nroom\\\\ a f=3')`, { format: 'influx' });
    expect(await lines.values()).toEqual({ 'a.f': 1, 'b.g': 2, 'room_a.f': 3 });
    expect(lines.rejected).toEqual([
      'line 2: the field "f" must be a number, got "N/A"',
      expect.stringMatching(/^line 3: must be a measurement and fields/),
    ]);
    const json = device(`console.log('[{"metric_name": "a", "value": 1}, {"metric_name": "b", "value": null}]')`);
    expect(await json.values()).toEqual({ a: 1 });
    expect(json.rejected).toEqual(['the value of b: must be a number, got null']);
  });

  it('may write as programs of Windows do, and NaN', async () => {
    const rooms = (encoding: string): string =>
      `process.stdout.write(Buffer.from('\\ufeff[{"metric_name": "a", "value": NaN}, {"metric_name": "b", "value": 1, "labels": {"of": "K\\xfcche"}}]\\r\\n', '${encoding}'))`;
    const utf8 = device(rooms('utf8'));
    expect(await utf8.values()).toEqual({ 'b{of=Küche}': 1 });
    expect(utf8.rejected).toEqual(['the value of a: must be a number, got null']);
    const latin1 = `process.stdout.write(Buffer.from('a,of=K\\xf6ln f=1\\r\\na,of=K\\xfcln f=2\\r\\n', 'latin1'))`;
    expect(await device(latin1, { format: 'influx' }).values()).toEqual({ 'a.f{of=Köln}': 1, 'a.f{of=Küln}': 2 });
    const marked = `process.stdout.write('\\ufeffa f=1\\n')`;
    expect(await device(marked, { format: 'influx' }).values()).toEqual({ 'a.f': 1 });
  });

  it('may give its own times', async () => {
    const at = NOW - 60_000;
    const influx = { format: 'influx', timestamps: 'source', precision: 's' };
    expect(await device(`console.log('a f=1 ${at / 1000}'); console.log('b f=2')`, influx).samples()).toEqual([
      ['a.f', at],
      ['b.f', NOW],
    ]);
    const json = `console.log('{"metric_name": "a", "value": 1, "timestamp": ${at}}')`;
    expect(await device(json, { timestamps: 'source' }).samples()).toEqual([['a', at]]);
    expect(mistakesOf({ protocol: 'command', command: ['a'], precision: 's', timestamps: 'now' })).toEqual([
      'third_party[0].timestamps: must be one of run, source, got "now"',
      'third_party[0].precision: is for format influx with timestamps: source',
    ]);
  });

  it('gets its arguments as they are, and of the environment only what it is given', async () => {
    process.env['COLLECTOR_TEST_TOKEN'] = 't0k3n';
    const script = `console.log(JSON.stringify({
      metric_name: 'args', value: process.argv.length, labels: { last: process.argv.at(-1), given: process.env.GIVEN,
      token: String(process.env.COLLECTOR_TEST_TOKEN) } }))`;
    const command = [process.execPath, '-e', script, '--', '$(id); `id` && echo *'];
    const [reading] = await new Device({ protocol: 'command', command, environment: { GIVEN: 'yes!' } }).read();
    expect(reading?.labels).toEqual({ last: '$(id); `id` && echo *', given: 'yes!', token: 'undefined' });
    delete process.env['COLLECTOR_TEST_TOKEN'];
  });

  it('that is not there, fails or writes garbage says so, without secrets', async () => {
    const gone = new Device({ protocol: 'command', command: ['/no/such/program'] });
    expect(await gone.failure()).toBe('there is no program /no/such/program, or no such folder');
    const password = 'pr0gram-s3cret';
    const failing = device('console.error("bad " + process.env.PASSWORD); process.exit(3)', {
      environment: { PASSWORD: password },
    });
    expect(await failing.failure()).toMatch(/ended with status 3: "bad \*\*\*"$/);
    expect(failing.log.join()).not.toContain(password);
    expect(await device('console.log("<html>")').failure()).toContain('not JSON: "<html>');
    expect(await device('console.log("<html>")', { format: 'influx' }).failure()).toContain('line 1: ');
  });

  it('that hangs is killed with its children, and the next run works', async () => {
    const file = folder.file('hangs');
    // A shell, which is up at once however busy the machine is.
    const script = `[ -s "$0" ] && { echo '{"metric_name": "m", "value": 1}'; exit; }; sleep 60 & echo $! > "$0"; wait`;
    const hanging = new Device({ protocol: 'command', command: ['sh', '-c', script, file], timeout: '2s' });
    expect(await hanging.failure()).toBe('no answer within 2 s');
    const grandchild = Number(readFileSync(file, 'utf8'));
    await until(() => isGone(grandchild));
    expect(await hanging.values()).toEqual({ m: 1 });
    expect(hanging.log.at(-1)).toBe('rack works again');
  });

  it('that writes 100 MB is killed', async () => {
    const script = `const text = 'x'.repeat(65536); const write = () => { while (process.stdout.write(text)); process.stdout.once('drain', write); }; write()`;
    const growth = await memoryGrowth(async () => {
      expect(await device(script).failure()).toBe('the output is longer than 2097152 bytes');
    });
    expect(growth).toBeLessThan(100 * 2 ** 20);
    const noisy = device(`process.stderr.write('e'.repeat(5e6), () => process.exit(1))`);
    expect((await noisy.failure()).length).toBeLessThan(400);
  });

  it('says what is wrong in its configuration', () => {
    expect(mistakesOf({ protocol: 'command', command: 'sensors -j', units: { a: '%' } })).toEqual([
      'third_party[0].command: must be a list of texts, got "sensors -j"',
      'third_party[0].units: is for format influx; in JSON each reading has its unit',
    ]);
  });
});

/** A process that has ended, or waits for its parent to take notice. */
function isGone(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return true;
  }
}
