/**
 * Every page, light and dark, at 1280 and 390 px, with 500 devices and this PC.
 *
 * Usage: npm run screenshots [-- FOLDER] [--url URL] [--only WORD] [--readme]. With --url it shows that api instead of one of
 * its own; --readme writes the two pictures of the README.
 */
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { collect, fill, fillAlerts, fillStatus, goOn, startSite } from './bench/dashboard/site.mjs';

/** The name of the file, the path, and what is done there before the picture. */
const PAGES = [
  ['home', '/'],
  ['device', '/devices/this-pc?range=15m'],
  ['device-30d', '/devices/lab-pc-001?range=30d'],
  ['explore', '/explore?metric=hw.temperature&tag=room%3Dlab&n=5&range=1h&before=1'],
  ['summary', '/summary?metric=system.cpu.utilization&range=1h'],
  ['availability', '/availability?range=6h'],
  ['alerts', '/alerts'],
  ['alerts-history', '/alerts?tab=history'],
  ['alerts-rules', '/alerts?tab=rules'],
  ['alerts-silences', '/alerts?tab=quiet'],
  ['alerts-channels', '/alerts?tab=channels'],
  ['alerts-status', '/alerts?tab=status'],
  ['status', '/status'],
  ['access', '/access'],
  ['system', '/system'],
  ['kiosk', '/devices/lab-pc-001?range=24h&kiosk=1'],
  ['not-found', '/nowhere'],
];
/** The pictures of the README: of which file, and its place. */
const README = { 'home-dark-1280': 'docs/images/devices.png', 'device-30d-light-1280': 'docs/images/device.png' };
const LOOKS = ['light', 'dark'].flatMap((scheme) => [1280, 390].map((width) => ({ scheme, width })));

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { url: { type: 'string' }, only: { type: 'string', default: '' }, readme: { type: 'boolean' } },
});
const folder = positionals[0] ?? join(tmpdir(), 'device-metrics-screenshots');
await mkdir(folder, { recursive: true });

const site = options.url === undefined ? await startSite() : { url: options.url, end: async () => {} };
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});
let stop = () => {};
try {
  if (options.url === undefined) {
    console.log('Filling a database…');
    const fleet = await fill(site.url);
    stop = goOn(site.url, fleet);
    await fillAlerts(site.url);
    await fillStatus(site.url);
    await collect(site.url, site.folder, 60);
  }
  for (const { scheme, width } of LOOKS) {
    const context = await browser.newContext({
      colorScheme: scheme,
      viewport: { width, height: width > 600 ? 800 : 844 },
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    for (const [name, path] of PAGES.filter(([name]) => name.includes(options.only))) {
      await page.goto(site.url + path);
      await page.locator('main *').first().waitFor();
      const busy = page.locator('[aria-busy="true"]');
      for (let tries = 0; tries < 100 && (await busy.count()) > 0; tries += 1) await page.waitForTimeout(100);
      // The small charts of a table come after it.
      await page.waitForLoadState('networkidle', { timeout: 3_000 }).catch(() => undefined);
      const file = join(folder, `${name}-${scheme}-${width}.png`);
      await page.screenshot({ path: file });
      console.log(file);
      const place = options.readme && README[`${name}-${scheme}-${width}`];
      if (place) await page.screenshot({ path: place, clip: { x: 0, y: 0, width, height: 700 } });
    }
    await context.close();
  }
} finally {
  stop();
  await browser.close();
  await site.end();
}
