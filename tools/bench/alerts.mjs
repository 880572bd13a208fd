/**
 * What alerts cost: processor time of 200 rules over 5,000 series each 15 s, what ingest loses beside them, and a dry run of one
 * rule over 30 days of 100 devices. Prints a table.
 *
 * Usage: npm run build && node tools/bench/alerts.mjs [--seconds 60]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { call, startSite } from './dashboard/site.mjs';
import { post } from './dashboard/fleet.mjs';

const { values: options } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const SECONDS = Number(options.seconds);
const DEVICES = 100;
const METRICS = 50;
const RULES = 200;
const BATCH = '/api/v1/aggregator/metrics/batch';
const INTERVAL = 10_000;
const DAY = 86_400_000;

const say = (what, value) => console.log(`${what.padEnd(48)} ${value}`);
const site = await startSite();

/** Processor time of the api so far, s. */
async function cpu() {
  const text = await (await fetch(`${site.url}/metrics`)).text();
  return Number(/^process_cpu_seconds_total (\S+)/m.exec(text)[1]);
}

/** One reading of every series, in as many uploads as there are devices; gives how long each took, ms. */
async function readings(time) {
  const took = [];
  for (let device = 0; device < DEVICES; device += 1) {
    const values = Object.fromEntries(
      Array.from({ length: METRICS }, (_, metric) => [`m${metric}`, Math.round(Math.random() * 1000) / 10]),
    );
    const start = performance.now();
    await post(site.url, BATCH, { metrics: [{ device_name: `pc-${device}`, timestamp: time, values }] });
    took.push(performance.now() - start);
  }
  return took;
}

/** Processor time of a while with readings each ten seconds, s, and the 99th percentile of the uploads, ms. */
async function measure() {
  const before = await cpu();
  const start = Date.now();
  const took = [];
  while (Date.now() - start < SECONDS * 1000) {
    const from = Date.now();
    took.push(...(await readings(from)));
    await sleep(Math.max(0, INTERVAL - (Date.now() - from)));
  }
  const seconds = (Date.now() - start) / 1000;
  const p99 = took.toSorted((a, b) => a - b)[Math.floor(took.length * 0.99)];
  return { share: ((await cpu()) - before) / seconds, p99 };
}

try {
  // An hour of past, so that rules have something to look at.
  for (let time = Date.now() - 600_000; time < Date.now(); time += 60_000) await readings(time);
  const { items } = await call(site.url, 'GET', '/api/v1/alerts/rules');
  for (const { name, document } of items) {
    await call(site.url, 'PUT', `/api/v1/alerts/rules/${encodeURIComponent(name)}`, { ...document, enabled: false });
  }
  await sleep(20_000);
  const without = await measure();
  for (let rule = 0; rule < RULES; rule += 1) {
    const condition =
      rule % 4 === 0
        ? { above: 99.9, measure: 'mean', window: '5m' }
        : rule % 4 === 1
          ? { below: 0.1 }
          : rule % 4 === 2
            ? { above: 99, measure: 'max', window: '1m' }
            : { outside: [0, 100] };
    await call(site.url, 'PUT', `/api/v1/alerts/rules/r${rule}`, {
      select: { metric: `m${rule % METRICS}` },
      condition,
      for: '1m',
    });
  }
  await sleep(20_000);
  const beside = await measure();
  const percent = (share) => `${(share * 100).toFixed(1)} % of a core`;
  say('readings of 5,000 series each 10 s', `${percent(without.share)}, p99 ${without.p99.toFixed(1)} ms`);
  say(
    `the same beside ${RULES} rules, each on ${DEVICES} series`,
    `${percent(beside.share)}, p99 ${beside.p99.toFixed(1)} ms`,
  );
  say('  the rules alone', percent(beside.share - without.share));
  say('  p99 of ingest', `${(beside.p99 / without.p99).toFixed(2)}x`);

  const end = Date.now() - DAY / 24;
  for (let device = 0; device < DEVICES; device += 1) {
    const samples = [];
    for (let time = end - 30 * DAY; time < end; time += 60_000) samples.push([time, Math.random() * 90]);
    for (let first = 0; first < samples.length; first += 20_000) {
      const run = { device_name: `pc-${device}`, metric_name: 'past', samples: samples.slice(first, first + 20_000) };
      await post(site.url, BATCH, { metrics: [run] });
    }
  }
  const rule = {
    name: 'x',
    select: { metric: 'past' },
    condition: { above: 85, measure: 'mean', window: '5m' },
    for: '5m',
  };
  const times = { start_time: new Date(end - 30 * DAY).toISOString(), end_time: new Date(end).toISOString() };
  for (const run of ['first', 'second']) {
    const [before, start] = [await cpu(), performance.now()];
    const { count } = await call(site.url, 'POST', '/api/v1/alerts/rules/dry-run', { rule, ...times });
    const took = ((performance.now() - start) / 1000).toFixed(2);
    say(
      `dry run of 30 days x 100 devices, ${run}`,
      `${took} s, ${((await cpu()) - before).toFixed(2)} CPU-s, fires ${count} times`,
    );
  }
} finally {
  await site.end();
}
