import { expect, it } from '@jest/globals';
import { laptop, only, read } from '../../test/pc.js';
import { uptime } from './uptime.js';

it('uptime is read from /proc/uptime and /proc/stat', async () => {
  expect(await read(uptime, laptop)).toEqual(['system.uptime{} 3384.85', 'system.boot_time{} 1768471200']);
  const mac: typeof laptop = { ...laptop, platform: 'darwin', uptime: () => 100 };
  expect(only(await read(uptime, mac), 'system.uptime')).toEqual(['system.uptime{} 100']);
});
