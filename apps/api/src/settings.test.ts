import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Mistakes, readSettings, type SettingsError } from '@device-metrics/settings';
import { readApiSettings, reportSettings, type ReportSettings } from './settings.js';

function read(settings: Record<string, string>): { settings: ReportSettings; mistakes: string[] } {
  const mistakes = new Mistakes(' ');
  return { settings: readSettings(reportSettings, settings, mistakes), mistakes: mistakes.list };
}

describe('the settings of scheduled reports', () => {
  it('write nothing by default', () => {
    expect(read({})).toEqual({
      settings: { schedule: '', path: 'instance/reports', timeRange: '24', timeZone: 'UTC', keep: 30 },
      mistakes: [],
    });
  });

  it.each(['0 6 * * *', '*/5 * * * * *', '0 6 * * mon-fri', '@daily', '0 0 29 2 *'])(
    'take a schedule: %s',
    (schedule) => {
      expect(read({ REPORTS_SCHEDULE: schedule, REPORTS_TIMEZONE: 'Europe/Berlin' }).mistakes).toEqual([]);
    },
  );

  it.each([
    ['REPORTS_SCHEDULE', 'daily', 'must be a cron expression'],
    ['REPORTS_SCHEDULE', '0 6 * *', 'must be a cron expression'],
    ['REPORTS_SCHEDULE', '60 * * * *', 'must be a cron expression'],
    ['REPORTS_SCHEDULE', '0 0 30 2 *', 'must be a cron expression'],
    ['REPORTS_TIMEZONE', 'Berlin', 'must be an IANA time zone'],
    ['REPORTS_TIMEZONE', '+01:00', 'must be an IANA time zone'],
    ['REPORTS_TIME_RANGE', '-1', 'must be a number of hours above 0'],
    ['REPORTS_KEEP', '0', 'must be an integer from 1 to 99999'],
    ['REPORTS_KEEP', '1.5', 'must be an integer from 1 to 99999'],
  ])('refuse %s=%s', (name, value, allowed) => {
    const { mistakes } = read({ [name]: value });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toContain(`${name} ${allowed}`);
    expect(mistakes[0]).toContain(`got "${value}"`);
  });
});

describe('the settings of retention', () => {
  const mistakesOf = (settings: Record<string, string>): readonly string[] => {
    try {
      readApiSettings(settings);
      return [];
    } catch (error) {
      return (error as SettingsError).mistakes;
    }
  };

  it.each([
    [{ RETENTION_RAW: '0' }, '(0), got "5y"'],
    [{ RETENTION_RAW: ' 90d ', RETENTION_HOURLY: '30d' }, '(90d), got "30d"'],
  ])('say where hourly values go before samples: %p', (settings, told) => {
    expect(mistakesOf(settings)).toEqual([`RETENTION_HOURLY must be 0 (for ever) or at least RETENTION_RAW ${told}`]);
  });

  it('let both be kept for ever', () => {
    expect(mistakesOf({ RETENTION_RAW: '0', RETENTION_HOURLY: '0' })).toEqual([]);
  });
});

describe('the heartbeat', () => {
  const mistakesOf = (url: string): readonly string[] => {
    try {
      readApiSettings({ HEARTBEAT_URL: url });
      return [];
    } catch (error) {
      return (error as SettingsError).mistakes;
    }
  };

  it.each(['', 'https://hc-ping.com/abc', 'http://user:pass@127.0.0.1:8080/x'])('may be %s', (url) => {
    expect(mistakesOf(url)).toEqual([]);
  });

  it.each(['http://127.0.0.1:6000/hush', 'hc-ping.com/hush', 'http://hush:99999'])(
    'is refused at the start where nobody can be called: %s',
    (url) => {
      expect(mistakesOf(url)).toEqual([expect.stringContaining('HEARTBEAT_URL must be an address that begins with')]);
      expect(mistakesOf(url).join()).not.toContain('hush');
    },
  );
});

describe('the settings of OpenID', () => {
  const issuer = { OIDC_ISSUER: 'https://login.example.org/realms/home' };

  it('say which group gets which role', () => {
    const roles = 'metrics=admins=admin, staff=editor,*=viewer';
    const { openId } = readApiSettings({ ...issuer, OIDC_CLIENT_ID: 'dm', OIDC_ROLES: roles });
    expect(openId.roles).toEqual([
      ['metrics=admins', 'admin'],
      ['staff', 'editor'],
      ['*', 'viewer'],
    ]);
  });

  it.each([
    [issuer, /OIDC_CLIENT_ID must be given too[^]*OIDC_ROLES must say who/],
    [{ OIDC_ISSUER: 'http://login.example.org' }, /OIDC_ISSUER must be the https:/],
    [{ ...issuer, OIDC_CLIENT_ID: 'dm', OIDC_ROLES: 'staff=boss' }, /OIDC_ROLES must be group=role/],
    [{ ...issuer, OIDC_CLIENT_ID: 'dm', OIDC_ROLES: '*=viewer', OIDC_SCOPES: 'profile' }, /OIDC_SCOPES must be scopes/],
  ])('refuse %j', (settings, mistake) => {
    let mistakes = '';
    try {
      readApiSettings(settings);
    } catch (error) {
      mistakes = (error as SettingsError).mistakes.join('\n');
    }
    expect(mistakes).toMatch(mistake);
  });
});
