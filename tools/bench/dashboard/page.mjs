/**
 * What the page costs: its size, the first paint, the way from a click to the charts of a year, scripting while a fleet is
 * live, and memory after an hour of live view, which is simulated by sending its readings faster. Prints a table.
 *
 * Usage: npm run build && node tools/bench/dashboard/page.mjs [--devices 500] [--rounds 360] [--only paint|year|live|memory]
 */
/* global document, requestAnimationFrame */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { FleetDevice, sendFleet } from './fleet.mjs';
import { goOn, startSite } from './site.mjs';

const { values: options } = parseArgs({
  options: {
    devices: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '360' },
    only: { type: 'string' },
  },
});
const DEVICES = Number(options.devices);
/** An hour of readings ten seconds apart. */
const ROUNDS = Number(options.rounds);
const BUILT = fileURLToPath(new URL('../../../apps/dashboard/dist', import.meta.url));
const DAY = 86_400_000;
const INTERVAL = 10_000;

const say = (what, value) => console.log(`${what.padEnd(44)} ${value}`);
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`;
const MB = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

async function size() {
  const files = (await readdir(BUILT, { recursive: true })).filter((file) => file.endsWith('.br'));
  const sizes = await Promise.all(files.map(async (file) => (await stat(join(BUILT, file))).size));
  return sizes.reduce((sum, one) => sum + one, 0);
}

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
let site = await startSite({ RETENTION_RAW: '2y' });
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
});

async function open(path) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(site.url + path);
  return page;
}

/** The metrics of a page by Chromium's own counting; seconds and bytes. */
async function counting(page) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  return async (collect = false) => {
    if (collect) await session.send('HeapProfiler.collectGarbage');
    const { metrics } = await session.send('Performance.getMetrics');
    return Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  };
}

async function firstPaint() {
  const page = await open('/');
  await page.locator('tr.device').first().waitFor();
  const paint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  const shown = await page.evaluate(() => performance.now());
  await page.context().close();
  return { paint, shown };
}

/** From the click on a year until every chart in view is drawn, ms. */
async function clickToChart() {
  const page = await open('/devices/lab-pc-001?range=1h');
  await page.locator('article.chart canvas').first().waitFor();
  await page.waitForLoadState('networkidle').catch(() => undefined);
  const took = await page.evaluate(async () => {
    const button = [...document.querySelectorAll('.lengths button')].find((one) => one.textContent === '1y');
    const start = performance.now();
    button.click();
    const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
    await frame();
    while (document.querySelector('[aria-busy="true"]')) await frame();
    return performance.now() - start;
  });
  await page.context().close();
  return took;
}

async function liveForAMinute(count, fleet) {
  const stop = goOn(site.url, fleet, INTERVAL);
  await sleep(5_000);
  const before = await count();
  await sleep(60_000);
  const after = await count();
  stop();
  const cost = (name) => `${((after[name] - before[name]) * 1000).toFixed(0)} ms`;
  say(`scripting, ${DEVICES} devices live for a minute`, cost('ScriptDuration'));
  say('  all work of its thread', cost('TaskDuration'));
}

async function memoryOfAnHour(count, fleet) {
  const start = await count(true);
  let time = Math.floor(Date.now() / INTERVAL) * INTERVAL;
  for (let round = 0; round < ROUNDS; round += 1, time += 1_000) {
    await sendFleet(site.url, { devices: fleet, start: time, end: time + 1_000, interval: 1_000 });
    await sleep(50);
  }
  await sleep(2_000);
  const finish = await count(true);
  say(
    `memory before and after ${ROUNDS} rounds of readings`,
    `${MB(start.JSHeapUsedSize)}, ${MB(finish.JSHeapUsedSize)}`,
  );
  say('  nodes of the document', `${start.Nodes}, ${finish.Nodes}`);
}

try {
  say('size of everything, brotli', kB(await size()));
  const wants = (what) => options.only === undefined || options.only === what;
  const fleet = Array.from({ length: DEVICES }, (_, index) => new FleetDevice(index));
  const end = Math.floor(Date.now() / INTERVAL) * INTERVAL;
  const [first, ...others] = fleet;
  if (wants('year')) {
    await sendFleet(site.url, { devices: [first], start: end - 365 * DAY, end, interval: 600_000 });
    site = await site.sealed();
  }
  await sendFleet(site.url, { devices: others, start: end - 1_800_000, end, interval: 60_000 });

  if (wants('paint')) {
    const paints = [];
    for (let run = 0; run < 5; run += 1) paints.push(await firstPaint());
    say('first paint, median of 5', `${median(paints.map(({ paint }) => paint)).toFixed(0)} ms`);
    say(`table of ${DEVICES} devices, median of 5`, `${median(paints.map(({ shown }) => shown)).toFixed(0)} ms`);
  }
  if (wants('year')) {
    const clicks = [];
    for (let run = 0; run < 5; run += 1) clicks.push(await clickToChart());
    say('click to the charts of a year, median of 5', `${median(clicks).toFixed(0)} ms`);
  }

  const page = await open('/');
  await page.locator('tr.device').first().waitFor();
  const count = await counting(page);
  if (wants('live')) await liveForAMinute(count, fleet);
  if (wants('memory')) await memoryOfAnHour(count, fleet);
} finally {
  await browser.close();
  await site.end();
}
