import { describe, expect, it } from '@jest/globals';
import { Mistakes } from '@device-metrics/settings';
import { GroupReader, laptop, linuxWith, read, values } from '../../test/pc.js';
import { Section } from '../config/section.js';
import type { Machine } from './machine.js';
import { services } from './services.js';

const SYSTEMD = { 'run/systemd/system/x': '' };
const LIST = `
-.mount                  loaded    active   mounted   Root Mount
dev-sda.device           loaded    active   plugged   Samsung SSD
● nginx.service          loaded    failed   failed    A web server
backup.service           loaded    failed   failed    Backup
cron.service             loaded    inactive dead      Regular background jobs
gone.service             not-found inactive dead      gone.service
app.service              loaded    activating auto-restart App
`;

/** systemctl with what it answers to `show` and to `list-units`. */
function systemctl(show: string, list = LIST): { run: Machine['run']; asked: string[] } {
  const asked: string[] = [];
  const run: Machine['run'] = (program, args) => {
    asked.push([program, ...args].join(' '));
    return Promise.resolve(args[0] === 'show' ? show : list);
  };
  return { run, asked };
}

describe('services', () => {
  it('are counted by state without being named, so that what fails is seen', async () => {
    const { run } = systemctl('');
    const readings = await new GroupReader(services, linuxWith(SYSTEMD, { run })).readings();
    expect(values(readings, 'systemd.unit.count', 'systemd.unit.active_state')).toEqual([
      ['active', 2],
      ['reloading', 0],
      ['inactive', 2],
      ['failed', 2],
      ['activating', 1],
      ['deactivating', 0],
    ]);
  });

  it('that are named have a state, under the name that they were asked for by, which may be an alias', async () => {
    const { run, asked } = systemctl(
      'Id=nginx.service\nLoadState=loaded\nActiveState=failed\n\nId=rsyslog.service\nLoadState=loaded\nActiveState=active\n',
    );
    const reader = new GroupReader(services, linuxWith(SYSTEMD, { run }), { units: ['nginx', 'syslog.service'] });
    const states = values(
      await reader.readings(),
      'systemd.unit.state',
      'systemd.unit.name',
      'systemd.unit.active_state',
    );
    expect(asked.at(-1)).toMatch(/ -- nginx.service syslog.service$/);
    expect(states).toHaveLength(12);
    expect(states.filter((one) => one.at(-1) === 1)).toEqual([
      ['nginx.service', 'failed', 1],
      ['syslog.service', 'active', 1],
    ]);
    expect(reader.rejected).toEqual([]);
  });

  it('that do not exist are said, and are in no state', async () => {
    const { run } = systemctl(
      'Id=typo.service\nLoadState=not-found\nActiveState=inactive\n\nId=ssh.service\nLoadState=loaded\nActiveState=active\n',
    );
    const reader = new GroupReader(services, linuxWith(SYSTEMD, { run }), { units: ['typo', 'ssh'] });
    const states = values(
      await reader.readings(),
      'systemd.unit.state',
      'systemd.unit.name',
      'systemd.unit.active_state',
    );
    expect(states.filter(([name]) => name === 'typo.service')).toHaveLength(6);
    expect(states.filter((one) => one.at(-1) === 1)).toEqual([['ssh.service', 'active', 1]]);
    expect(reader.rejected).toEqual(['typo.service: there is no such unit']);
  });

  it('that do not exist are said by `collector check` too', async () => {
    const { run } = systemctl(
      'Id=typo.service\nLoadState=not-found\n\nId=ssh.service\nLoadState=loaded\nActiveState=active\n',
    );
    const check = (units: string[]): Promise<readonly string[]> | undefined =>
      services.check?.(new Section({ units }, '', new Mistakes()))(linuxWith(SYSTEMD, { run }));
    expect(await check(['typo', 'ssh'])).toEqual(['typo.service: there is no such unit']);
    expect(await check([])).toEqual([]);
  });

  it('have a state though the list of units fails', async () => {
    const run: Machine['run'] = (_program, args) =>
      args[0] === 'show'
        ? Promise.resolve('Id=ssh.service\nLoadState=loaded\nActiveState=active\n')
        : Promise.reject(new Error('Connection timed out'));
    const reader = new GroupReader(services, linuxWith(SYSTEMD, { run }), { units: ['ssh'] });
    expect(await reader.readings()).toHaveLength(6);
    expect(reader.rejected).toEqual(['the list of units: Connection timed out']);
  });

  it('are nothing where there is no systemd', async () => {
    const { run, asked } = systemctl('');
    expect(await read(services, linuxWith({}, { run }))).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('outside Linux have the names that were asked for', async () => {
    const all = [
      { name: 'spooler', running: true, startmode: 'Auto' },
      { name: 'typo', running: false, startmode: '' },
    ];
    const si = { services: () => Promise.resolve(all) };
    const windows = { ...laptop, platform: 'win32', si } as unknown as Machine;
    const reader = new GroupReader(services, windows, { units: ['Spooler', 'typo'] });
    const states = values(
      await reader.readings(),
      'systemd.unit.state',
      'systemd.unit.name',
      'systemd.unit.active_state',
    );
    expect(states.filter((one) => one.at(-1) === 1)).toEqual([['Spooler', 'active', 1]]);
    expect(reader.rejected).toEqual(['typo: there is no such unit']);
    expect(await read(services, windows)).toEqual([]);
  });
});
