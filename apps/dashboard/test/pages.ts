import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { MINUTE } from '@device-metrics/domain';
import type { Locator, Page } from 'playwright-core';
import { LONG } from '../../collector/test/harness.js';
import { fits, settled, type WatchedPage } from './browser.js';
import { send } from './site.js';
import type { Stage } from './stage.js';

/** What people and programs may call a device. */
const HOSTILE = [
  '<script>document.title="taken"</script>',
  '<img src=x onerror=alert(1)>',
  'شبكة المختبر',
  '\u202edetrevni',
  'x'.repeat(128),
  '🛰️ 👩‍🔬 🇪🇺',
  'a/b?c=d&e#f%20*',
  'quote\'"`\\',
];
/** Those whose own page is looked at, too. */
const VISITED = LONG ? HOSTILE : HOSTILE.filter((_, index) => index % 2 === 0);

/** Every page. */
export function pages(stage: Stage): void {
  beforeAll(async () => {
    for (const name of HOSTILE)
      await send(stage.site, name, [
        ['system.cpu.utilization', 0.5],
        ['hw.power', 1, { 'hw.name': name }],
      ]);
    await send(stage.site, 'lab-pc-001', [
      ['collector.source.success', 0, { source: 'rack-ups' }],
      ['collector.info', 1, { 'service.version': '0.1.1' }],
      ['collector.spool.samples', 1234],
      ['device_metrics_samples_stored_total', 100],
    ]);
  });

  const shown = async (page: Page): Promise<void> => {
    await page.locator('h1').first().waitFor();
    await settled(page);
  };

  /** A stretch that does not move, so that its numbers do not either; of the page, and of the api. */
  const fixed = { start: stage.end - 10 * MINUTE, end: stage.end };
  const stretch = ({ start, end }: typeof fixed): string =>
    `start_time=${new Date(start).toISOString()}&end_time=${new Date(end).toISOString()}`;
  const ofPage = `start=${new Date(fixed.start).toISOString()}&end=${new Date(fixed.end).toISOString()}`;
  const column = (rows: Locator, number: number): Promise<string[]> =>
    rows.locator(`td:nth-child(${number})`).allInnerTexts();
  const celsius = (value: number): string => `${value.toFixed(1)} °C`;

  it('Explore ranks series as the comparison does, also against the time before', async () => {
    const { page } = await stage.open(`/explore?metric=hw.temperature&tag=owner%3Dit&n=3&${ofPage}&before=1`);
    const rows = page.locator('.ranking tbody tr');
    await rows.nth(2).waitFor();
    const { body } = await stage.site.server.get(
      `/api/v1/reports/compare?metric_name=hw.temperature&tag=owner%3Dit&${stretch(fixed)}&step=5s&top=3`,
    );
    const shown = await column(rows, 2);
    expect(shown).toEqual(body.series.map(({ device_name }: any) => device_name));
    expect(await column(rows, 4)).toEqual(body.series.map(({ value }: any) => celsius(value)));
    const earlier = stretch({ start: 2 * fixed.start - fixed.end, end: fixed.start });
    const before = await stage.site.server.get(`/api/v1/reports/summary?metric_name=hw.temperature&${earlier}`);
    const meanOf = (name: string): number =>
      before.body.summaries.find(({ device_name }: any) => device_name === name).mean;
    expect(await column(rows, 7)).toEqual(shown.map((name) => celsius(meanOf(name))));
    expect(
      await page
        .locator('.legend')
        .getByText(/ before$/)
        .count(),
    ).toBe(3);
    expect(await rows.first().locator('td').last().innerText()).toMatch(/^[+−]?[\d.]+ %$/);
    const menu = page.getByRole('button', { name: 'Take away: hw.temperature' });
    await menu.click();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Save as CSV' }).click();
    const [head, ...steps] = (await readFile(await (await download).path(), 'utf8')).trim().split('\r\n');
    expect(head?.split(',')).toEqual(['timestamp', ...shown.map((name) => expect.stringContaining(name))]);
    expect(steps.length).toBeGreaterThan(10);

    await page.getByLabel('Add a device').fill('lab-*');
    await page.getByLabel('Add a device').press('Enter');
    await page.waitForURL(/device=lab-\*/);
    await rows.nth(1).waitFor({ state: 'detached' });
    expect(await rows.count()).toBe(1);
  });

  it('Explore says where it happens what the api refuses, and goes on', async () => {
    const { page } = await stage.open('/explore?metric=hw.temperature&agg=loudest');
    await page
      .getByRole('alert')
      .getByText(/loudest/)
      .waitFor();
    await page.getByLabel('Aggregation').selectOption('max');
    await page.locator('.ranking').waitFor();
  });

  it('Summary has the rows of the report in its order, and the same as a file', async () => {
    const { page } = await stage.open(`/summary?metric=hw.temperature&device=lab-pc-*&sort=-max&${ofPage}`);
    const rows = page.locator('.summary tbody tr');
    await rows.nth(11).waitFor();
    const query = `metric_name=hw.temperature&device_name=lab-pc-*&group_by=device,label&${stretch(fixed)}&sort=-max`;
    const { body } = await stage.site.server.get(`/api/v1/reports/summary?${query}`);
    expect(await rows.locator('td:first-child').allInnerTexts()).toEqual(
      body.summaries.map(({ device_name }: any) => device_name),
    );
    expect(await column(rows, 3)).toEqual(body.summaries.map(({ count }: any) => count.toLocaleString('en')));
    for (const [index, name] of ['min', 'mean', 'max', 'last'].entries()) {
      expect(await column(rows, 4 + index)).toEqual(body.summaries.map((row: any) => celsius(row[name])));
    }
    expect(await page.getByRole('link', { name: 'Excel' }).getAttribute('href')).toContain('format=xlsx');
    await rows.first().locator('.spark path').waitFor();
  });

  it('Summary says of a counter how much it grew in a second', async () => {
    const { page } = await stage.open(`/summary?metric=system.network.io&device=${stage.device.name}&${ofPage}`);
    const rows = page.locator('.summary tbody tr');
    await rows.first().waitFor();
    const means = await column(rows, 5);
    expect(means.length).toBeGreaterThan(0);
    for (const mean of means) expect(mean).toMatch(/^[\d.]+ [kM]?B\/s$/);
  });

  it('Availability has the share of each month and the silences of the report, the worst device first', async () => {
    const seconds = Array.from({ length: 30 }, (_, second) => second);
    for (const secondsAgo of [...seconds.map((second) => 1200 - second), ...seconds.map((second) => 600 - second)]) {
      await send(stage.site, 'dozer', [['system.cpu.utilization', 0.1]], secondsAgo);
    }
    const hour = { start: Date.now() - 60 * MINUTE, end: Date.now() };
    const iso = (time: number): string => new Date(time).toISOString();
    const { page } = await stage.open(`/availability?start=${iso(hour.start)}&end=${iso(hour.end)}&tz=UTC`);
    const first = page.locator('.availability tbody tr', { hasText: 'dozer' });
    await first.waitFor();
    const { body } = await stage.site.server.get(
      `/api/v1/reports/availability?${stretch(hour)}&device_name=dozer&timezone=UTC`,
    );
    const cells = await first.locator('td').allInnerTexts();
    const shares = await page.locator('.availability tbody td:nth-child(2)').allInnerTexts();
    expect(shares.map(parseFloat)).toEqual(shares.map(parseFloat).toSorted((a, b) => a - b));
    expect(cells[0]).toBe('dozer');
    expect(cells.slice(1, -2)).toEqual([
      ...body.totals.map(({ percent }: any) => `${percent.toFixed(2)} %`),
      ...body.months.map(({ percent, silences }: any) =>
        expect.stringMatching(new RegExp(`^${percent.toFixed(2)} %\\s+${silences} silences?, `)),
      ),
    ]);
    const minutes = Math.floor(Math.round(body.totals[0].silent / 1000) / 60);
    expect(cells.at(-2)).toMatch(new RegExp(`^${minutes} min`));
    expect(await first.locator('.silences li').count()).toBe(Math.min(5, body.totals[0].silences));
    expect(body.totals[0].silences).toBeGreaterThan(0);
  });

  it('System says how the api and its collectors are', async () => {
    const { page } = await stage.open('/system');
    const fact = (name: string) =>
      page
        .locator('.fact', { has: page.getByText(name, { exact: true }) })
        .locator('dd')
        .first();
    expect(await fact('Devices').innerText()).toBe(
      String(await stage.site.server.metric('device_metrics_store_devices')),
    );
    const metric = (name: string): Promise<number> => stage.site.server.metric(`device_metrics_${name}`);
    const { body: metrics } = await stage.site.server.get('/metrics');
    const stored = [...String(metrics).matchAll(/^device_metrics_samples_stored_total\S* (\d+)$/gm)];
    const sum = stored.reduce((total, [, count]) => total + Number(count), 0);
    const notes = await page.locator('.fact .note').allInnerTexts();
    expect(notes).toEqual(
      expect.arrayContaining([
        `${sum.toLocaleString('en')} since the start`,
        `${(await metric('store_series')).toLocaleString('en')} series`,
      ]),
    );
    const size = await metric('store_file_bytes');
    // Three figures of it, as it was a moment before.
    expect(Math.abs((parseFloat(await fact('Database').innerText()) * 2 ** 20) / size - 1)).toBeLessThan(0.02);
    expect(await fact('Damaged data').innerText()).toBe('none');
    const { retention_raw } = (await stage.site.server.get('/api/v1/admin/status')).body;
    expect(await fact('Samples are kept').innerText()).toBe(`${retention_raw / 86_400_000} d`);
    await page.getByRole('button', { name: 'Count the samples' }).click();
    await page.getByText(/samples in all/).waitFor();
    const row = page.locator('tr', { hasText: 'rack-ups' });
    // It has not joined: of which version it is, it says itself.
    expect(await row.innerText()).toMatch(/lab-pc-001.*0\.1\.1.*1,234 samples/s);
    await page.setViewportSize({ width: 390, height: 844 });
    const table = await page
      .locator('.scrolling')
      .evaluateAll((all) => all.map((one) => one.scrollWidth - one.clientWidth));
    expect(table.length).toBeGreaterThan(0);
    expect(Math.max(...table)).toBe(0);
    await page.route('**/api/v1/updates', (route) =>
      route.fulfill({
        json: {
          collectors: [
            {
              device_name: 'lab-pc-001',
              version: '0.1.0',
              newest: '0.2.0',
              automatic: true,
              state: 'failed',
              reason: 'it has not sent within 2 min',
            },
          ],
          waves: [{ version: '0.2.0', size: 5, limit: 1, updated: 0, under_way: 0, held_back_by: 'lab-pc-001' }],
        },
      }),
    );
    await page.reload();
    await page.getByText('0 of 5 collectors have it; lab-pc-001 went back from it, so all others wait.').waitFor();
    await page.getByText('went back from 0.2.0: it has not sent within 2 min').waitFor();
    await page.getByRole('button', { name: 'Try again version 0.2.0' }).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Back up now' }).click();
    const head = await readFile(await (await download).path());
    expect(head.subarray(0, 15).toString()).toBe('SQLite format 3');
  });

  it('shows hostile names as text, on every page', async () => {
    const { page, errors } = await stage.open('/');
    await shown(page);
    for (const name of VISITED) {
      await page.getByLabel('Search devices').fill(name.slice(0, 40));
      const link = page.getByTitle(name, { exact: true });
      await link.waitFor();
      expect(await link.textContent()).toBe(name);
      await link.click();
      await page.getByRole('heading', { level: 1 }).getByText(name, { exact: true }).waitFor();
      await page.locator('article.chart canvas').first().waitFor();
      await page.getByRole('link', { name: 'Devices', exact: true }).click();
    }
    // A percent sign of a name is none of the address, also where that changes.
    await send(stage.site, 'a%2Fb', [['system.cpu.utilization', 0.5]]);
    await page.goto(`${stage.site.url}/?q=${encodeURIComponent('a%2Fb')}`);
    expect(await page.getByLabel('Search devices').inputValue()).toBe('a%2Fb');
    await page.getByTitle('a%2Fb', { exact: true }).click();
    await page.getByRole('heading', { level: 1 }).getByText('a%2Fb', { exact: true }).waitFor();
    await page.getByRole('button', { name: '6h', exact: true }).click();
    await page.waitForURL(/\/devices\/a%252Fb\?range=6h/);
    await page.getByRole('heading', { level: 1 }).getByText('a%2Fb', { exact: true }).waitFor();
    // What is no UTF-8 is a name that no device has.
    await page.goto(`${stage.site.url}/devices/lab%20%E0%A4%A?range=1h`);
    await page.getByText('There is no device').waitFor();
    errors.splice(0, errors.length, ...errors.filter((error) => !error.includes('404')));
    await page.goto(`${stage.site.url}/summary?device=*script*`);
    await page.locator('.summary tbody tr').first().waitFor();
    expect(await page.title()).toBe('Summary · Device Metrics');
    expect(await page.locator('main script, main img').count()).toBe(0);
    expect(errors).toEqual([]);
  });

  it.each([390, 900])('a printed report of long units and large numbers fits in %d px', async (width) => {
    const labels = { sensor: 'a' };
    await send(stage.site, 'odd-units', [
      ['a.sensor', 1e15, labels, 'furlong/fortnight'],
      ['another', -2, {}, 'x'.repeat(63)],
    ]);
    const { page } = await stage.open('/api/v1/reports/print?device=odd-units');
    await page.setViewportSize({ width, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    const name = page.locator('table.summary tbody th').first();
    expect((await name.boundingBox())?.width).toBeGreaterThan(50);
    await page.getByText('1e+15 furlong/fortnight').first().waitFor();
  });

  it('numbers with long units stay in their places on a telephone', async () => {
    await send(stage.site, 'odd-units', [['a.sensor', 1e15, { sensor: 'a' }, 'furlong/fortnight']]);
    const { page } = await stage.open('/summary?device=odd-units&metric=a.sensor');
    await page.setViewportSize({ width: 390, height: 844 });
    const numbers = page.locator('.summary td.number');
    await numbers.nth(4).waitFor();
    const tooWide = (cells: Element[]): number => cells.filter((cell) => cell.scrollWidth > cell.clientWidth).length;
    expect(await numbers.evaluateAll(tooWide)).toBe(0);
  });

  it('says that the api is away, and goes on by itself when it is back', async () => {
    const { page } = await stage.open('/devices/lab-pc-001?range=15m');
    await page.locator('article.chart canvas').first().waitFor();
    await stage.site.stop();
    await page.getByText('The api does not answer').waitFor();
    expect(await page.locator('article.chart canvas').count()).toBeGreaterThan(0);
    await stage.site.start();
    await page.getByText('The api does not answer').waitFor({ state: 'detached' });
    await send(stage.site, 'lab-pc-001', [['hw.temperature', 93.5, { 'hw.id': 'cpu' }]]);
    await page.locator('article[id="chart-hw.temperature"]').scrollIntoViewIfNeeded();
    await page.getByText('93.5 °C').waitFor();
  });

  it('System fits in 320 px, as at 400 % zoom', async () => {
    const { page } = await stage.open('/system');
    await page.setViewportSize({ width: 320, height: 700 });
    await page.getByRole('button', { name: 'Count the samples' }).waitFor();
    await shown(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  });

  it('a tab from before an update of the server loads itself anew', async () => {
    const { page } = await stage.open('/', {});
    await shown(page);
    let gone = true;
    page.on('request', (request) => void (request.isNavigationRequest() && (gone = false)));
    await page.route(/\/assets\/summary-/, (route) => (gone ? route.fulfill({ status: 404 }) : route.continue()));
    await page.evaluate(() => ((window as unknown as { old: boolean }).old = true));
    await page.getByRole('link', { name: 'Summary' }).click();
    await page.getByRole('heading', { name: 'Summary' }).waitFor();
    expect(await page.evaluate(() => (window as unknown as { old?: boolean }).old)).toBeUndefined();
    await page.context().close();
  });

  it('has no controls in a kiosk, which a button begins and Escape ends', async () => {
    const { page } = await stage.open('/devices/lab-pc-001?range=15m&kiosk=1');
    await page.locator('article.chart canvas').first().waitFor();
    expect(await page.getByRole('navigation').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Edit' }).isVisible()).toBe(false);
    await page.keyboard.press('Escape');
    await page.getByRole('navigation', { name: 'Pages' }).waitFor();
    await page.getByRole('button', { name: 'Kiosk' }).click();
    await page.waitForURL(/kiosk=1/);
    await page.getByRole('navigation', { name: 'Pages' }).waitFor({ state: 'detached' });
  });

  it('sends nothing inline and allows nothing from elsewhere', async () => {
    const { headers, body } = await stage.site.server.get('/devices/x', { accept: 'text/html' });
    expect(headers.get('content-security-policy')).toContain("default-src 'self'");
    expect(body).not.toMatch(/<script(?![^>]* src=)|<style| style=| on\w+=/);
    expect((await stage.site.server.get('/api/v1/none', { accept: 'text/html' })).status).toBe(404);
    expect((await stage.site.server.get('/none')).status).toBe(404);
  });

  const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const LOOKS = [
    { colorScheme: 'light', width: 1280 },
    { colorScheme: 'dark', width: 390 },
  ] as const;
  describe('light and wide, dark and narrow,', () => {
    let watched: WatchedPage;
    beforeAll(async () => {
      watched = await stage.open('/nowhere');
    });

    it.each([
      '/',
      '/devices/lab-pc-001?range=15m',
      '/explore?metric=hw.temperature&range=15m',
      '/summary?range=15m&device=lab-pc-*',
      '/availability?range=1h&device=lab-pc-*',
      '/system?range=15m',
      '/alerts',
      '/alerts?tab=history',
      '/alerts?tab=rules',
      '/alerts?tab=quiet',
      '/alerts?tab=channels',
      '/alerts?tab=status',
      '/status',
      '/access',
      '/setup',
      '/nowhere',
    ])('%s is accessible and fits', async (path) => {
      const { page, errors } = watched;
      errors.length = 0;
      // It is loaded as the page before was left: half of them wide, half of them narrow.
      const isWide = (page.viewportSize()?.width ?? 0) > 1_000;
      for (const [turn, { colorScheme, width }] of (isWide ? LOOKS : LOOKS.toReversed()).entries()) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 844 });
        if (turn === 0) await page.goto(stage.site.url + path);
        if (path === '/nowhere') await page.getByText('There is no page').waitFor();
        else await shown(page);
        if (turn === 0) {
          expect(await jumpOf(page)).toBeLessThanOrEqual(0.1);
          await page.evaluate(axe);
        }
        // To find them takes longest: in `npm test` half of the pages are judged light and wide, and half dark and narrow.
        if (turn === 0 || LONG)
          expect({ width, violations: await violationsOf(page) }).toEqual({ width, violations: [] });
        await fits(page, width);
      }
      expect(errors).toEqual([]);
    });
  });
}

/** By how much what was shown has moved by itself since the page was loaded: the cumulative layout shift. */
const jumpOf = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        type Shift = PerformanceEntry & { value: number; hadRecentInput: boolean };
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const { value, hadRecentInput } of list.getEntries() as Shift[]) if (!hadRecentInput) sum += value;
        }).observe({ type: 'layout-shift', buffered: true });
        // What was kept comes in a task of its own.
        setTimeout(() => resolve(sum), 50);
      }),
  );

/** What axe, which the page has, finds that keeps people out. */
const violationsOf = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    interface Violation {
      id: string;
      impact: string;
      nodes: { html: string }[];
    }
    const { axe } = window as unknown as {
      axe: { run: (options: object) => Promise<{ violations: Violation[] }> };
    };
    const { violations } = await axe.run({ resultTypes: ['violations'] });
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => {
        const some = nodes.slice(0, 3).map(({ html }) => html.slice(0, 200));
        return `${id}: ${some.join(' | ')}`;
      });
  });
