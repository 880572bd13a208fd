import { expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { until } from '../../collector/test/harness.js';
import { send } from './site.js';
import type { Stage } from './stage.js';

const row = (page: Page, name: string) => page.locator('tr.device', { has: page.getByTitle(name, { exact: true }) });

/** The page of all devices. */
export function home(stage: Stage): void {
  const names = (page: Page) => page.locator('tr.device .name a').allInnerTexts();

  it('shows of 200 devices what the report of the newest samples says, and only those in view are in the document', async () => {
    const { page, errors } = await stage.open('/');
    const first = row(page, 'lab-nas-017');
    await first.locator('.spark path').first().waitFor();
    await first.getByText(/ °C/).waitFor();
    const { body } = await stage.site.server.get('/api/v1/reports/latest?device_name=lab-nas-017');
    const value = (metric: string, state?: string): number =>
      body.samples.find(
        ({ metric_name, labels }: any) =>
          metric_name === metric && (state === undefined || labels['system.memory.state'] === state),
      ).value;
    const texts = await first.locator('.figure .value').allInnerTexts();
    expect(texts.map((text) => text.split('\n')[0])).toEqual([
      `${(value('system.cpu.utilization') * 100).toFixed(1)} %`,
      `${(value('system.memory.utilization', 'used') * 100).toFixed(1)} %`,
      `${(value('system.filesystem.utilization') * 100).toFixed(1)} %`,
      `${value('hw.temperature').toFixed(1)} °C`,
    ]);
    const all = (await stage.site.server.get('/api/v1/devices')).body.devices.length;
    expect(all).toBeGreaterThanOrEqual(200);
    expect(await page.getByText(`${all} devices`, { exact: true }).count()).toBe(1);
    expect(await page.locator('tr.device').count()).toBeLessThan(80);
    // Both go on meanwhile.
    const buttons = page.getByRole('group', { name: 'Status' }).getByRole('button');
    await until(async () => {
      const { devices } = (await stage.site.server.get('/api/v1/devices')).body;
      const statuses = ['online', 'late', 'offline'].map(
        (status) => `${status} ${devices.filter((device: any) => device.status === status).length}`,
      );
      const counts = (await buttons.allInnerTexts()).map((text) => text.replace(/\s+/g, ' '));
      return counts.join() === statuses.join();
    });

    await page.evaluate(() => window.scrollTo(0, document.body.scrollHeight));
    await page
      .locator(`tr.device[aria-rowindex="${all + 1}"] .spark path`)
      .first()
      .waitFor();
    expect(await page.locator('tr.device').count()).toBeLessThan(80);
    expect(errors).toEqual([]);
  });

  it.each([1180, 1024, 820, 720])('names the devices and fits in a screen of %d px', async (width) => {
    const { page } = await stage.open('/');
    await page.setViewportSize({ width, height: 800 });
    const name = row(page, 'lab-nas-017').locator('.name a');
    await name.waitFor();
    expect((await name.boundingBox())?.width).toBeGreaterThanOrEqual(80);
    const last = await page.locator('tr.device').first().locator('.figure').last().boundingBox();
    expect((last?.x ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(width - 20);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
  });

  it('draws the last hour of each device, also where others have very many hotter sensors, fuller disks and busier processors', async () => {
    const hot = Array.from({ length: 20 }, (_, index) => `oven-${index + 1}`);
    const parts = Array.from({ length: 60 }, (_, index) => String(index));
    const seconds = [20, 10, 0].map((ago) => Date.now() - ago * 1000);
    const run = (device_name: string, metric_name: string, value: number, labels: Record<string, string>) => ({
      device_name,
      metric_name,
      labels,
      samples: seconds.map((time, index) => [time, value + index / 100]),
    });
    const readings = (name: string, value: number, part: string) => [
      run(name, 'hw.temperature', value * 50, { 'hw.id': part }),
      run(name, 'system.filesystem.utilization', value, { 'system.filesystem.mountpoint': `/${part}` }),
      run(name, 'system.cpu.utilization', value, { 'cpu.logical_number': part }),
    ];
    const metrics = [...hot.flatMap((name) => parts.flatMap((part) => readings(name, 0.5, part)))];
    for (const name of [...hot, 'oven-cool']) metrics.push(run(name, 'system.cpu.utilization', 0.1, {}));
    metrics.push(...readings('oven-cool', 0.1, '0'));
    const { body } = await stage.site.server.post('/api/v1/aggregator/metrics/batch', { metrics });
    expect(body.rejected).toEqual([]);

    const { page, requests } = await stage.open('/?q=oven-');
    for (const name of ['oven-cool', 'oven-1', 'oven-20']) {
      for (const metric of ['system.cpu.utilization', 'system.filesystem.utilization', 'hw.temperature']) {
        await row(page, name).locator(`td[data-metric="${metric}"] .spark path`).waitFor({ state: 'attached' });
      }
    }
    // Of each figure all at once; of those that did not fit into an answer each half.
    const asked = requests.filter((address) => address.startsWith('/api/v1/reports/compare'));
    expect(asked.length).toBeLessThanOrEqual(8);
  });

  it('shows the mean of the processors of a device that sends each by itself, also before it sends again', async () => {
    const processor = (number: string) => ({ 'cpu.logical_number': number });
    const readings = (
      [
        ['0', 0.2],
        ['1', 0.4],
      ] as const
    ).map(([number, value]) => ['system.cpu.utilization', value, processor(number)] as const);
    await send(stage.site, 'by-processor', readings, 300);
    await send(stage.site, 'with-whole', [...readings, ['system.cpu.utilization', 0.9]], 300);
    const { page, errors } = await stage.open('/');
    const figureOf = (name: string) => row(page, name).locator('td[data-metric="system.cpu.utilization"]');
    await page.getByLabel('Search devices').fill('by-processor');
    await figureOf('by-processor').getByText('30.0 %').waitFor();
    await figureOf('by-processor').locator('.spark path').waitFor({ state: 'attached' });
    await page.getByLabel('Search devices').fill('with-whole');
    await figureOf('with-whole').getByText('90.0 %').waitFor();
    await send(stage.site, 'with-whole', [...readings, ['system.cpu.utilization', 0.8]]);
    await figureOf('with-whole').getByText('80.0 %').waitFor();
    await page.getByLabel('Search devices').fill('by-processor');
    await send(stage.site, 'by-processor', [['system.cpu.utilization', 0.6, processor('0')]]);
    await figureOf('by-processor').getByText('50.0 %').waitFor();
    expect(errors).toEqual([]);
  });

  it('shows readings in other units as those of its columns', async () => {
    const labels = { 'system.filesystem.mountpoint': '/' };
    await send(stage.site, 'in-other-units', [
      ['system.cpu.utilization', 42, {}, '%'],
      ['system.memory.utilization', 61.5, { 'system.memory.state': 'used' }, '%'],
      ['system.filesystem.utilization', 7, labels, '%'],
      ['hw.temperature', 104, {}, '[degF]'],
    ]);
    const { page } = await stage.open('/?q=in-other-units');
    const figures = row(page, 'in-other-units').locator('.figure .value');
    await figures.nth(3).waitFor();
    const texts = (await figures.allInnerTexts()).map((text) => text.split('\n')[0]);
    expect(texts).toEqual(['42.0 %', '61.5 %', '7.0 %', '40.0 °C']);
    await page.goto(`${stage.site.url}/devices/in-other-units?range=15m`);
    await page.locator('.legend').getByText('104.0 °F').waitFor();
    await page.locator('.legend').getByText('42.0 %').waitFor();
  });

  it('searches, filters, groups and sorts, and a copied link shows the same rows', async () => {
    const { page } = await stage.open('/');
    await page.getByLabel('Search devices').fill('lab-pi');
    await page.waitForURL(/q=lab-pi/);
    await page.getByRole('button', { name: 'CPU' }).click();
    await page.waitForURL(/sort=-cpu/);
    await page.locator('tr.device td[data-metric="system.cpu.utilization"] .value').first().waitFor();
    const shown = await names(page);
    expect(shown.length).toBeGreaterThan(5);
    expect(shown.every((name) => name.startsWith('lab-pi') || name.startsWith('Microscope'))).toBe(true);
    const figures = await page.locator('td[data-metric="system.cpu.utilization"] .value').allInnerTexts();
    expect(figures.map(parseFloat)).toEqual(figures.map(parseFloat).toSorted((a, b) => b - a));

    await stage.open(page.url().slice(stage.site.url.length));
    await page.locator('tr.device').first().waitFor();
    expect(await page.getByLabel('Search devices').inputValue()).toBe('lab-pi');
    // How many rows are made beyond those in sight is not the same each time.
    const rows = await names(page);
    const common = Math.min(rows.length, shown.length);
    expect(common).toBeGreaterThan(5);
    expect(rows.slice(0, common)).toEqual(shown.slice(0, common));

    await page.goto(`${stage.site.url}/?tag=room%3Dlab&group=owner`);
    await page.locator('tr.group').first().waitFor();
    expect(await page.locator('tr.group').allInnerTexts()).toEqual(
      expect.arrayContaining([expect.stringMatching(/^owner it/)]),
    );

    // A telephone has no room for the heads of columns, and tags are whole or not there.
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByLabel('Sort').selectOption('Temperature ↓');
    await page.waitForURL(/sort=-temperature/);
    // Rows are put in their order once the figures have come.
    await page.locator('tr.device .tag').nth(2).waitFor();
    const tags = await page
      .locator('tr.device .tag')
      .evaluateAll((all) => all.map(({ clientWidth, scrollWidth }) => scrollWidth - clientWidth));
    expect(tags.length).toBeGreaterThan(2);
    expect(tags.filter((hidden) => hidden > 0)).toEqual([]);
  });

  it('says within seconds that a device is late, then offline, and that it is back', async () => {
    // Its readings are a second apart, so that it is late after 15 s and offline after 50 s.
    const now = Date.now();
    const samples = Array.from({ length: 22 }, (_, second) => [now - (71 - second) * 1000, 0.5]);
    const run = { device_name: 'sleeper', metric_name: 'system.cpu.utilization', samples };
    await stage.site.server.post('/api/v1/aggregator/metrics/batch', { metrics: [run] });
    const { page } = await stage.open('/?q=sleeper');
    await page.getByText(/^offline for/).waitFor();
    // The fleet goes offline as well where the tests take long.
    const problem = page.getByRole('listitem').filter({ hasText: /devices? offline/ });
    await problem.getByText('sleeper').or(problem.getByText(/^all /)).first().waitFor();
    // It goes on, as it would be late again where the page takes long.
    await until(async () => {
      await send(stage.site, 'sleeper', [['system.cpu.utilization', 0.25]]);
      return row(page, 'sleeper').getByText('online').isVisible();
    });
    await row(page, 'sleeper').getByText('25.0 %').waitFor();
  });
}

/** The same before the first device has sent. */
export function emptyHome(stage: Stage): void {
  it('says what to do where there is no device yet, and shows the first by itself', async () => {
    const { page } = await stage.open('/');
    await page.getByRole('heading', { name: 'No data yet' }).waitFor();
    expect(await page.locator('pre').allInnerTexts()).toEqual([
      expect.stringContaining(`API_URL=${stage.site.url}`),
      expect.stringContaining(`curl ${stage.site.url}/api/v1/aggregator/metrics/`),
    ]);
    await send(stage.site, 'first-pc', [['system.cpu.utilization', 0.42]]);
    await row(page, 'first-pc').getByText('42.0 %').waitFor();
  });
}
