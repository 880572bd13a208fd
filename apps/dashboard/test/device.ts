import { beforeAll, expect, it } from '@jest/globals';
import type { BrowserContextOptions, Locator, Page } from 'playwright-core';
import { open, settled, type WatchedPage } from './browser.js';
import { send } from './site.js';
import type { Stage } from './stage.js';

/** The page of one device. */
export function device(stage: Stage): void {
  const { device, end } = stage;
  /** A fixed stretch, so that its numbers do not move. */
  const fixed = `start=${new Date(end - 3_600_000).toISOString()}&end=${new Date(end).toISOString()}`;

  beforeAll(async () => {
    const program = (name: string, share: number) =>
      ['process.cpu.utilization', share, { 'process.executable.name': name, 'cpu.mode': 'user' }] as const;
    // Round the middle of the hour, which a click hits to some seconds.
    for (let second = -60; second <= 60; second += 10) {
      const secondsAgo = (Date.now() - end) / 1000 + 1800 + second;
      await send(stage.site, device.name, [program('chromium', 0.61), program('backup', 0.07)], secondsAgo);
    }
  });

  const show = (query = '', options?: BrowserContextOptions): Promise<WatchedPage> =>
    stage.open(`/devices/${device.name}?${query}`, options);
  const chart = (page: Page, metric: string): Locator => page.locator(`article[id="chart-${metric}"]`);
  const shown = async (page: Page, metric: string): Promise<Locator> => {
    const found = chart(page, metric);
    await found.scrollIntoViewIfNeeded();
    await found.locator('canvas').waitFor();
    return found;
  };
  const values = (found: Locator): Promise<string[]> => found.locator('.line-value').allInnerTexts();
  const reports = (requests: readonly string[], metric: string): URLSearchParams[] =>
    requests
      .filter((request) => request.startsWith('/api/v1/reports/metrics/') && request.includes(`metric_name=${metric}`))
      .map((request) => new URL(request, 'http://x').searchParams);

  it('draws what the device report says: gauges, states of a whole, counters as rates', async () => {
    const { page, errors } = await show(fixed);
    const report = async (query: string): Promise<any[]> =>
      (
        await stage.site.server.get(
          `/api/v1/reports/metrics/${device.name}?start_time=${new Date(end - 3_600_000).toISOString()}&end_time=${new Date(end).toISOString()}&${query}`,
        )
      ).body.series;
    const last = ({ samples }: any): number => samples.at(-1)[1];

    const [cpu] = await report('metric_name=system.cpu.utilization&step=10s');
    expect(await values(await shown(page, 'system.cpu.utilization'))).toEqual([`${(last(cpu) * 100).toFixed(1)} %`]);

    const memory = await report('metric_name=system.memory.usage&step=10s');
    const stack = await shown(page, 'system.memory.usage');
    expect(await stack.locator('.line-name').allInnerTexts()).toEqual(['used', 'cached', 'buffers', 'free']);
    const used = memory.find(({ labels }) => labels['system.memory.state'] === 'used');
    expect((await values(stack))[0]).toBe(`${(last(used) / 1024 ** 3).toFixed(2)} GiB`);

    const traffic = await report('metric_name=system.network.io&step=10s&aggregation=rate');
    const rates = traffic.map((series) => last(series) / (last(series) >= 999_500 ? 1e6 : 1e3));
    const texts = await values(await shown(page, 'system.network.io'));
    expect(texts.map(parseFloat)).toEqual(
      rates.map((rate) => Number(rate >= 99.95 ? rate.toFixed(0) : rate >= 9.995 ? rate.toFixed(1) : rate.toFixed(2))),
    );
    expect(texts.every((text) => /[kM]B\/s$/.test(text))).toBe(true);
    expect(errors).toEqual([]);
  });

  it('asks for finer data where a person zooms, shows all charts of that time, and goes back', async () => {
    const { page, requests } = await show('range=24h');
    const cpu = await shown(page, 'system.cpu.utilization');
    await page.locator('canvas').nth(2).waitFor();
    const [wide] = reports(requests, 'system.cpu.utilization');
    const before = requests.length;
    const over = (await cpu.locator('.u-over').boundingBox())!;
    await page.mouse.move(over.x + over.width * 0.95, over.y + 40);
    await page.mouse.down();
    await page.mouse.move(over.x + over.width * 0.99, over.y + 60, { steps: 5 });
    await page.mouse.up();
    await page.waitForURL(/start=/);
    await settled(page);
    const [narrow] = reports(requests.slice(before), 'system.cpu.utilization');
    expect(wide?.get('step')).toBe('300s');
    expect(narrow?.get('step')).toBe('10s');
    const length = (query?: URLSearchParams): number =>
      Date.parse(query?.get('end_time') ?? '') - Date.parse(query?.get('start_time') ?? '');
    expect(length(narrow)).toBeLessThan(length(wide) / 10);
    expect(reports(requests.slice(before), 'system.memory.usage')[0]?.get('start_time')).toBe(
      narrow?.get('start_time'),
    );

    await page.goBack();
    await page.waitForURL(/range=24h/);
    await page.getByRole('button', { name: '7d', exact: true }).click();
    await page.waitForURL(/range=7d/);
    await settled(page);
    expect(reports(requests, 'system.cpu.utilization').at(-1)?.get('step')).toBe('1800s');
  });

  it('restores the picture from a copied link, in its time zone', async () => {
    const first = await show(fixed, { timezoneId: 'Europe/Berlin' });
    await first.page.getByRole('button', { name: 'UTC' }).click();
    await first.page.waitForURL(/tz=UTC/);
    const expected = await values(await shown(first.page, 'hw.temperature'));
    const layer = (page: Page) => chart(page, 'system.memory.usage').getByRole('button', { name: /^cached/ });
    await shown(first.page, 'system.memory.usage');
    await layer(first.page).click();
    await first.page.waitForURL(/hide=/);
    const span = await first.page.getByRole('button', { name: / – / }).innerText();
    const second = await open(stage.browser, first.page.url(), { timezoneId: 'Asia/Kolkata' });
    expect(await values(await shown(second.page, 'hw.temperature'))).toEqual(expected);
    expect(await second.page.getByRole('button', { name: / – / }).innerText()).toBe(span);
    await shown(second.page, 'system.memory.usage');
    expect(await layer(second.page).getAttribute('aria-pressed')).toBe('false');
    await first.page.context().close();
    await second.page.context().close();
  });

  it('takes up a new value by itself', async () => {
    const { page } = await show('range=15m');
    const found = await shown(page, 'hw.temperature');
    await send(stage.site, device.name, [['hw.temperature', 91.5, { 'hw.id': 'cpu' }]]);
    await found.getByText('91.5 °C').waitFor();
  });

  it('names the programs of a moment that is clicked at', async () => {
    const { page } = await show(fixed);
    const cpu = await shown(page, 'system.cpu.utilization');
    const over = (await cpu.locator('.u-over').boundingBox())!;
    await page.mouse.click(over.x + over.width / 2, over.y + 50);
    const programs = page.getByRole('region', { name: 'Processes at a time' });
    await programs.getByText('chromium').waitFor();
    expect(await programs.locator('tbody tr').allInnerTexts()).toEqual([
      expect.stringMatching(/chromium\s+61.0 %/),
      expect.stringMatching(/backup\s+7.0 %/),
    ]);
    // The nearest reading is told of, also where programs are read less often than the rest.
    const after = new Date(end - 1_800_000 + 100_000).toISOString();
    await page.goto(`${stage.site.url}/devices/${device.name}?${fixed}&tz=UTC&at=${after}`);
    await programs.getByText('chromium').waitFor();
    await programs.getByText(/^Read at [\d:]+, the nearest to it/).waitFor();
  });

  it('is read and used by keys alone', async () => {
    const { page } = await show(fixed);
    const cpu = await shown(page, 'system.cpu.utilization');
    await cpu.getByRole('application').focus();
    await page.keyboard.press('End');
    const [last] = await values(cpu);
    expect(await cpu.getByRole('status').textContent()).toMatch(new RegExp(`^[\\d:]+, .* ${last}$`));
    await page.keyboard.press('PageUp');
    await page.keyboard.press('+');
    await page.waitForURL((url) => url.searchParams.get('end') !== new Date(end).toISOString());

    const focused = (name: string) => page.getByRole('button', { name, exact: true }).and(page.locator(':focus'));
    const menu = 'Take away: CPU busy';
    await page.getByRole('button', { name: menu }).press('Enter');
    await cpu.getByRole('link', { name: 'Save as CSV' }).and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Escape');
    await focused(menu).waitFor();
    await page.keyboard.press('Enter');
    await cpu.getByRole('button', { name: 'Show as a table' }).press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await focused(menu).waitFor();
    await page.getByRole('button', { name: 'Edit' }).press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await focused('Edit').waitFor();
    await page.getByRole('button', { name: '1h', exact: true }).click();
    await page.getByRole('button', { name: 'Calendar' }).press('Enter');
    await page.getByLabel('From').and(page.locator(':focus')).waitFor();
    await page.keyboard.press('Escape');
    await focused('Calendar').waitFor();
  });

  it('gives a chart as a file, a link, a call and a table', async () => {
    const { page } = await show(fixed, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const found = await shown(page, 'hw.temperature');
    const menu = found.getByRole('button', { name: 'Take away: Temperatures' });
    await menu.click();
    const download = page.waitForEvent('download');
    await found.getByRole('link', { name: 'Save as CSV' }).click();
    expect((await download).suggestedFilename()).toMatch(/\.csv$/);
    await menu.click();
    await found.getByRole('button', { name: 'Copy the call' }).click();
    await found.getByText('Call copied').waitFor();
    const call = await page.evaluate(() => navigator.clipboard.readText());
    const address = /^curl '(.*)'$/.exec(call)?.[1] ?? '';
    const { body } = await stage.site.server.get(address.slice(stage.site.url.length));
    expect(body.series.map(({ metric_name }: any) => metric_name)).toEqual(['hw.temperature']);
    await menu.click();
    await found.getByRole('button', { name: 'Show as a table' }).click();
    const rows = page.getByRole('dialog').locator('tbody tr');
    await rows.first().waitFor();
    expect(await rows.first().locator('td').last().innerText()).toBe(
      `${body.series[0].samples.at(-1)[1].toFixed(1)} °C`,
    );
    await page.context().close();
  });

  it('changes display name, notes and tags', async () => {
    const { page } = await show();
    await page.getByRole('button', { name: 'Edit' }).click();
    await page.getByLabel('Display name').fill('Bench 1');
    await page.getByLabel('Notes').fill('new fan');
    await page.getByLabel('Tags').fill('room\n');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('A tag is name=value, got room.').waitFor();
    await page.getByLabel('Tags').fill('room=lab\n');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Bench 1' }).waitFor();
    const { body } = await stage.site.server.get(`/api/v1/devices/${device.name}`);
    expect(body).toMatchObject({ display_name: 'Bench 1', notes: 'new fan', tags: { room: 'lab' } });
  });
}
