import { closeSync, existsSync, openSync, renameSync, symlinkSync, utimesSync, writeSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { answer, until, World } from './harness.js';

const SECRET = 'hunter2secret';

/** Exporters at the paths of one server that want the secret and count how often they were read. */
class Exporters {
  readonly served: Record<string, number> = {};
  private url = '';

  constructor(private readonly world: World) {}

  async start(): Promise<this> {
    const { url } = await this.world.serve((request, response) => {
      const name = (request.url ?? '').slice(1);
      this.served[name] = (this.served[name] ?? 0) + 1;
      if (request.headers.authorization === `Bearer ${SECRET}`) response.end(`served ${this.served[name]}\n`);
      else answer(response, 403, { detail: `not with ${request.headers.authorization}` });
    });
    this.url = url;
    return this;
  }

  line(name: string, more = ''): string {
    return `{ protocol: prometheus, device: ${name}, url: '${this.url}/${name}', token: '\${SECRET}'${more} }`;
  }

  arrived(name: string): number[] {
    return this.world.api.valuesOf('served', name);
  }
}

describe('a running collector', () => {
  it.concurrent(
    'takes up a change of its file, and on SIGHUP, without a gap in the sources that stay',
    World.test(async (world) => {
      const exporters = await new Exporters(world).start();
      world.configure(exporters.line('stays'), exporters.line('goes'));
      const collector = world.collector({ COLLECT_INTERVAL: '200ms', SECRET });
      await until(() => exporters.arrived('goes').length > 1);

      world.configure(exporters.line('stays'), exporters.line('comes'));
      collector.child.kill('SIGHUP');
      await until(() => exporters.arrived('comes').length > 1);
      await collector.says('Configuration read again; started: comes (200 ms); ended: goes');
      expect(collector.output).not.toContain('restart');

      world.configure(exporters.line('stays'), exporters.line('comes', ', urll: x'));
      world.folder.write('.env', 'API_TOKEN=a-new-token\n');
      await collector.says('third_party[1].urll: is not known here; did you mean "url"?');
      const goes = exporters.arrived('goes').length;
      const before = exporters.arrived('comes').length;
      await until(() => exporters.arrived('comes').length > before + 2);
      expect(exporters.arrived('goes')).toHaveLength(goes);

      world.configure(exporters.line('stays'), exporters.line('comes'));
      collector.child.kill('SIGHUP');
      await collector.says('Changed as well, but only a restart takes it up: API_TOKEN');

      expect(await collector.stop()).toBe(0);
      const stays = world.api.samples.filter(({ device_name }) => device_name === 'stays');
      expect(stays.map(({ value }) => value)).toEqual(stays.map((_sample, index) => index + 1));
      // One of the others was read at each time, but for the changes; a busy machine leaves turns out, of each its own.
      expect(stays.length).toBeGreaterThan((goes + exporters.arrived('comes').length) / 2);
    }),
  );

  it.concurrent(
    'takes up another file that the link to its file leads to, though both have the same time',
    World.test(async (world) => {
      const { folder } = world;
      const exporters = await new Exporters(world).start();
      for (const name of ['one', 'two']) {
        utimesSync(folder.write(name, `pc: false\napi: false\nthird_party: [${exporters.line(name)}]\n`), 1, 1);
      }
      symlinkSync('one', folder.file('collector.yaml'));
      const collector = world.collector({ SECRET });
      await collector.says('1 sources: one');
      await until(() => exporters.arrived('one').length > 5);
      symlinkSync('two', folder.file('next'));
      renameSync(folder.file('next'), folder.file('collector.yaml'));
      await collector.says('started: two (100 ms); ended: one');
      expect(await collector.stop()).toBe(0);
    }),
  );

  it.concurrent(
    'takes up a SIGHUP that comes while it starts',
    World.test(async (world) => {
      const exporters = await new Exporters(world).start();
      world.configure(exporters.line('web'));
      const collector = world.collector({ SECRET });
      // Its spool is opened after it has begun to listen, and before it collects.
      await until(() => existsSync(world.folder.file('instance/spool.db')));
      world.configure(exporters.line('other'));
      collector.child.kill('SIGHUP');
      await collector.says('started: other (100 ms); ended: web');
      expect(await collector.stop()).toBe(0);
    }),
  );

  it.concurrent(
    'offers its own metrics to Prometheus',
    World.test(async (world) => {
      const exporters = await new Exporters(world).start();
      world.configure(exporters.line('web'));
      const collector = world.collector({ COLLECTOR_METRICS_PORT: '0', SECRET });
      await until(() => exporters.arrived('web').length > 1);
      await collector.says('/metrics');
      const [url = ''] = /http:\/\/127\.0\.0\.1:\d+\/metrics/.exec(collector.output) ?? [];
      const text = await (await fetch(url)).text();
      expect(text).toContain('# TYPE collector_source_success gauge\ncollector_source_success{source="web"} 1\n');
      expect(text).toMatch(/# TYPE collector_upload_sent counter\ncollector_upload_sent [1-9]\d*\n/);
      expect(await collector.stop()).toBe(0);
    }),
  );

  it.concurrent(
    'goes on with what can be read of a damaged spool',
    World.test(async (world) => {
      const exporters = await new Exporters(world).start();
      await world.api.stop();
      world.configure(exporters.line('web'));
      const first = world.collector({ SECRET });
      await until(() => (exporters.served['web'] ?? 0) > 10);
      await first.stop();
      const file = openSync(world.folder.file('instance/spool.db'), 'r+');
      writeSync(file, Buffer.alloc(4_096, 0xa5), 0, 4_096, 3 * 4_096);
      closeSync(file);
      await world.api.start();
      const second = world.collector({ SECRET });
      await second.says('is damaged');
      await second.says('it is kept as');
      const before = exporters.served['web'] ?? 0;
      await until(() => exporters.arrived('web').some((value) => value > before));
      expect(await second.stop()).toBe(0);
    }),
  );

  it.concurrent(
    'shows no secret in its log',
    World.test(async (world) => {
      const exporters = await new Exporters(world).start();
      world.configure(exporters.line('web').replace('${SECRET}', 'prefix-${SECRET}'));
      const collector = world.collector({ SECRET });
      await collector.says('web fails: answered 403');
      expect(await collector.stop()).toBe(0);
      expect(collector.output).toContain('***');
      expect(collector.output).not.toContain(SECRET);
    }),
  );

  it.concurrent(
    'shows no secret that its settings have lost meanwhile, and that it still uses',
    World.test(async (world) => {
      const { api, folder } = world;
      const exporters = await new Exporters(world).start();
      world.configure(exporters.line('web'));
      folder.write('.env', 'API_TOKEN=the-first-token\n');
      const collector = world.collector({ SECRET });
      await until(() => api.requests > 0);
      folder.write('.env', 'API_TOKEN=another\n');
      collector.child.kill('SIGHUP');
      await collector.says('only a restart takes it up: API_TOKEN');
      api.instead = (_metrics, response) => {
        answer(response, 401, { detail: 'there is no token the-first-token' });
        return true;
      };
      await collector.says('there is no token');
      expect(await collector.stop()).toBe(0);
      expect(collector.output).not.toContain('the-first-token');
    }),
  );
});

describe('the commands', () => {
  it.concurrent(
    'check, read and say what is wrong, and show no secret',
    World.test(async (world) => {
      const exporters = await new Exporters(world).start();
      world.configure(
        exporters.line('web').replace('${SECRET}', SECRET),
        "{ protocol: prometheus, device: bad, name: 'no', url: http://u:p@h }",
      );
      const [check, read, unread, unknown, status, help, other, joining] = await Promise.all([
        world.command('check'),
        world.command('read', 'web'),
        world.command('read', 'wep'),
        world.command('chek'),
        world.command('status'),
        world.command('--help'),
        world.command('check', 'other.yaml'),
        world.command('join', '--help'),
      ]);
      expect(check.split('\n')).toEqual([
        `${world.folder.file('collector.yaml')} is right`,
        `device test-pc, api ${world.api.url}`,
        '  web: device web, every 10 s, at most 5 s',
        '  no: device bad, every 10 s, at most 5 s',
        '',
      ]);
      const sample = { device_name: 'web', metric_name: 'served', value: 1, labels: {}, timestamp: expect.any(Number) };
      expect(JSON.parse(read.split('\n')[0] ?? '')).toEqual(sample);
      expect(read).toMatch(/# 1 readings in .*\n$/);
      expect(unread).toBe('exit 1: There is no source "wep"; did you mean "web"? There are: web, no\n');
      expect(help).toMatch(/^Without a command the collector runs[^]*\n {2}check [^]*SPOOL_MAX_BYTES/);
      expect(unknown).toBe(`exit 1: There is no command "chek"; did you mean "check"?\n\n${help}`);
      expect(joining).toMatch(/^join <url> --code <code> .*\n$/);
      expect(other).toBe(`exit 1: check takes - for standard input, got "other.yaml"\n`);
      expect(status).toBe(
        `exit 1: There is no spool ${world.folder.file('instance/spool.db')}: no collector has run with these settings yet\n`,
      );

      world.configure(exporters.line('web').replace('${SECRET}', 'literal-secret'));
      const failed = await world.command('read', 'web');
      expect(failed).toMatch(/^exit 1: web fails: answered 403 .*\*\*\*/);
      expect(failed).not.toContain('literal');
    }),
  );

  it.concurrent(
    'doctor says that the api takes nothing of this collector, as once it has users',
    World.test(async (world) => {
      world.configure();
      expect(await world.command('doctor')).toContain(
        'ok     credential: none, which the api of this machine needs only',
      );
      world.api.instead = (_, response) => {
        answer(response, 401, { detail: 'This needs a token' });
        return true;
      };
      expect(await world.command('doctor')).toMatch(
        /\nWRONG {2}credential: the api refuses it: 401 This needs a token; \S.* join http:\S+ --code CODE gives it one\n/,
      );
    }),
  );

  it.concurrent(
    'show what of each source cannot be read, without secrets, and until it can be',
    World.test(async (world) => {
      let plug: unknown = { apower: 23.4, temperature: { tC: null } };
      const { url } = await world.serve((request, response) => {
        if (request.url === '/plug') answer(response, 200, plug);
        else answer(response, 403, { detail: `not with ${request.headers.authorization}` });
      });
      const mapping =
        '[{"metric_name": "power", "value": apower}, {"metric_name": "hw.temperature", "value": temperature.tC}]';
      const device = (name: string): string =>
        `{ protocol: http-json, device: ${name}, url: '${url}/${name}', token: '${SECRET}', mapping: '${mapping}' }`;
      world.configure(device('plug'), device('locked'));
      expect(await world.command('read', 'plug')).toMatch(
        /"value":23\.4.*\n# plug: cannot read the value of hw\.temperature: must be a number, got null\n# 1 readings in .*; 1 parts could not be read or sent\n$/,
      );
      world.collector();
      const statusSays = async (wanted: RegExp): Promise<string> => {
        let said = '';
        for (let tries = 0; tries < 50 && !wanted.test(said); tries += 1) said = await world.command('status');
        expect(said).toMatch(wanted);
        return said;
      };
      const status = await statusSays(/\nlast sent {4}\d.* ago\n[^]*sources {6}1 read whole, 1 in part, 1 failed/);
      expect(status).toMatch(/\n {2}locked, since 20.*Z, failed: answered 403 /);
      expect(status).toMatch(
        /\n {2}plug, since 20.*Z, in part: 1 could not be read or sent\n {4}the value of hw\.temperature: must be a number, got null\n/,
      );
      expect(status).not.toContain(SECRET);
      // A shell in which nothing names the api, as beside `PORT=3055 npm start`.
      expect(await world.commandWith({ API_URL: '' }, 'status')).toContain(`\nsends to     ${world.api.url}, `);
      plug = { apower: 23.4, temperature: { tC: 30 } };
      await statusSays(/sources {6}2 read whole, 0 in part, 1 failed/);
      await until(() => {
        const counts = world.api.valuesOf('collector.source.rejected', 'test-pc');
        return counts.includes(0) && counts.includes(1);
      });
    }),
  );

  it.concurrent(
    'show the queue, and send again or drop what the api refused',
    World.test(async (world) => {
      const at = Date.parse('2026-01-15T10:00:00Z');
      const spool = world.spool();
      for (const value of [1, 2, 3]) {
        spool.add([{ device_name: 'pc', metric_name: 'm', value, timestamp: at }], at);
        if (value < 3) spool.quarantine(spool.lastSequence, `400 no ${value}`);
      }
      spool.close();
      world.configure();
      const [status, list, nothing] = await Promise.all([
        world.command('status'),
        world.command('quarantine', 'list'),
        world.command('quarantine', 'retry'),
      ]);
      expect(status.split('\n').slice(0, 9)).toEqual([
        expect.stringMatching(/^version {6}\d+\.\d+\.\d+$/),
        expect.stringMatching(/^waiting {6}1 batches, 1 samples, the oldest .* old$/),
        'quarantined  2 batches, 2 samples',
        'sent         0 samples',
        'given up     0 samples by a full or damaged spool, 0 dropped from quarantine',
        'in all       3 samples',
        `sends to     ${world.api.url}, without a credential`,
        expect.stringMatching(/^api {10}answers/),
        'last sent    never',
      ]);
      expect(status.endsWith(` KiB\n${list}`)).toBe(true);
      expect(list.split('\n')).toEqual([
        '1  2026-01-15T10:00:00.000Z  1 samples, as pc m 1: 400 no 1',
        '2  2026-01-15T10:00:00.000Z  1 samples, as pc m 2: 400 no 2',
        '',
      ]);
      expect(nothing).toMatch(/^exit 1: quarantine retry needs/);
      expect(await world.command('quarantine', 'drop', '1')).toBe('1 is deleted\n');
      expect(await world.command('quarantine', 'drop', '1')).toBe('exit 1: There is no batch "1" in quarantine\n');
      expect(await world.command('quarantine', 'retry', 'all')).toBe('2 waits for upload again\n');
      expect(await world.command('quarantine', 'list')).toBe('Nothing is in quarantine\n');
      expect(world.totals()).toMatchObject({ generated: 3, dropped: 1, pendingSamples: 2, quarantinedSamples: 0 });
    }),
  );
});
