import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, expect, it } from '@jest/globals';
import { send } from './site.js';
import type { Stage } from './stage.js';

/** The page of alerts, their marks on charts, and the status page. */
export function alerts(stage: Stage): void {
  // Rules are looked at every 15 s at the least: this one while the other tests go on.
  beforeAll(async () => {
    await stage.site.server.send('PUT', '/api/v1/alerts/rules/Loud', {
      select: { metric: 'noise', device: 'siren' },
      condition: { above: 1 },
      every: '15s',
    });
    await send(stage.site, 'siren', [['noise', 5]]);
  });

  it('a rule is made with a form, tried on the past before it is saved, and its level stands on the chart', async () => {
    const { page, errors } = await stage.open('/alerts?tab=rules');
    await page.getByRole('button', { name: 'New rule' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name', { exact: true }).fill('Warm');
    await form.getByLabel('Metric', { exact: true }).fill('hw.temperature');
    await form.getByLabel('Devices', { exact: true }).fill(stage.device.name);
    await form.getByLabel('Level', { exact: true }).fill('1000');
    await form.getByLabel('Wrong for').fill('a while');
    await form.getByRole('button', { name: 'Save' }).click();
    await form
      .getByText(/must be a duration/)
      .first()
      .waitFor();
    await form.getByLabel('Wrong for').fill('');
    await form.getByLabel('Level', { exact: true }).fill('30');
    await form.getByText('= 30.0 °C').waitFor();
    await form.getByRole('button', { name: 'Dry run' }).click();
    await form.getByText('It watches 1 thing and would have fired').waitFor();
    expect(await form.locator('.strip rect').count()).toBeGreaterThan(0);
    await form.getByRole('button', { name: 'Text' }).click();
    expect(JSON.parse(await form.getByRole('textbox', { name: /As docs/ }).inputValue())).toEqual({
      select: { metric: 'hw.temperature', device: stage.device.name },
      condition: { above: 30 },
      severity: 'warning',
    });
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: /Warm/ }).getByText('> 30 °C').waitFor();

    await page.goto(`${stage.site.url}/devices/${stage.device.name}?range=1h`);
    const chart = page.locator('article[id="chart-hw.temperature"]');
    await chart.scrollIntoViewIfNeeded();
    await chart.getByRole('application', { name: /Warm at 30.0 °C/ }).waitFor();
    // The rule with a mistake was refused.
    expect(errors.filter((error) => !error.includes('400'))).toEqual([]);
  });

  it('a rule is switched off and on, and text with mistakes says where they are', async () => {
    const { page } = await stage.open('/alerts?tab=rules');
    const toggle = page.getByRole('switch', { name: 'Clock off is on' });
    await toggle.click();
    await page.waitForFunction(
      () => !document.querySelector<HTMLInputElement>('input[aria-label="Clock off is on"]')?.checked,
    );
    await page.locator('input[aria-label="Clock off is on"]:enabled').waitFor();
    const { body } = await stage.site.server.get('/api/v1/alerts/rules');
    expect(body.items.find(({ name }: any) => name === 'Clock off').document.enabled).toBe(false);
    await page.getByRole('button', { name: 'Clock off' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('button', { name: 'Text' }).click();
    await form.getByRole('textbox', { name: /As docs/ }).fill('{"condition": {"type": "clock", "abov": 1}, "foo": 2}');
    await form.getByRole('button', { name: 'Save' }).click();
    await form
      .getByText(/condition.abov.*is unknown/)
      .first()
      .waitFor();
    await form.getByRole('button', { name: 'Delete' }).click();
    await form.waitFor({ state: 'detached' });
    expect(await toggle.isChecked()).toBe(true);
  });

  it('a channel is made with the fields of its type, keeps its secret, and is tested', async () => {
    const heard: string[] = [];
    const receiver = createServer((request, response) => {
      heard.push(request.url ?? '');
      response.end('{}');
    }).listen(0, '127.0.0.1');
    receiver.unref();
    const { page } = await stage.open('/alerts?tab=channels');
    await page.getByRole('button', { name: 'New channel' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Name', { exact: true }).fill('phone');
    await form.getByLabel(/^Type/).selectOption('ntfy');
    await form.getByLabel('topic').fill('secret-topic');
    await form.getByLabel('url (if wanted)').fill(`http://127.0.0.1:${(receiver.address() as AddressInfo).port}`);
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText('Taken.').waitFor();
    expect(heard).toHaveLength(1);
    expect(await page.content()).not.toContain('secret-topic');
    receiver.close();
    receiver.closeAllConnections();
    await page.getByRole('button', { name: 'Send a test' }).click();
    await page.getByText(/could not be reached/).waitFor();
    await stage.site.server.send('DELETE', '/api/v1/alerts/channels/phone');
  });

  it('a channel that an older version saved and this one cannot use stands there with the reason, and can be deleted', async () => {
    const { page, errors } = await stage.open('/');
    const document = { name: 'old', type: 'webhook', url: '********' };
    const unusable = { name: 'old', origin: 'database', document, unusable: true, failure: 'url must have a port' };
    let items = [unusable];
    await page.route('**/api/v1/alerts/channels', (route) => route.fulfill({ json: { items } }));
    await page.route('**/api/v1/alerts/channels/old', (route) => {
      items = [];
      return route.fulfill({ status: 204 });
    });
    await page.goto(`${stage.site.url}/alerts?tab=channels`);
    const row = page.getByRole('row', { name: /old/ });
    await row.getByText('It cannot be used: url must have a port').waitFor();
    expect(await row.getByRole('button', { name: 'Send a test' }).count()).toBe(0);
    await row.getByRole('button', { name: 'old' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await row.waitFor({ state: 'detached' });
    expect(errors).toEqual([]);
  });

  it('a form takes nothing away that somebody else has made or changed meanwhile', async () => {
    const { page } = await stage.open('/alerts?tab=quiet');
    const { server } = stage.site;
    const put = (comment: string) =>
      server.send('PUT', '/api/v1/alerts/silences/shared', { select: { device: 'x' }, for: '1h', comment });
    const form = page.getByRole('dialog');
    await page.getByRole('button', { name: 'New silence' }).click();
    await put('of anna');
    await form.getByLabel('Name', { exact: true }).fill('shared');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('There is one of this name already').waitFor();
    await form.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'shared' }).click();
    await put('of anna, later');
    await form.getByLabel('Comment').fill('of bert');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.getByText('Somebody else has changed it meanwhile').waitFor();
    await form.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'shared' }).click();
    expect(await form.getByLabel('Comment').inputValue()).toBe('of anna, later');
    await form.getByLabel('Comment').fill('of both');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.waitFor({ state: 'detached' });
    await page
      .getByRole('row', { name: /shared/ })
      .getByText('of both')
      .waitFor();
    await server.send('DELETE', '/api/v1/alerts/silences/shared');
  });

  it('what alerts stands there, is acknowledged and silenced', async () => {
    const { page } = await stage.open('/alerts');
    const row = page.getByRole('row', { name: /Loud/ });
    await row.waitFor();
    await row.getByRole('button', { name: 'Acknowledge' }).click();
    await row.getByLabel('Comment').fill('I hear it.');
    await row.getByRole('button', { name: 'Save' }).click();
    await row.getByText(/I hear it\./).waitFor();
    await row.getByRole('button', { name: 'Silence' }).click();
    const form = page.getByRole('dialog');
    expect(await form.getByLabel('Rules').inputValue()).toBe('Loud');
    expect(await form.getByLabel('Devices').inputValue()).toBe('siren');
    await form.getByLabel('Name', { exact: true }).fill('quiet please');
    await form.getByRole('button', { name: 'Save' }).click();
    await form.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Silences' }).click();
    await page
      .getByRole('row', { name: /quiet please/ })
      .getByText('Loud, siren')
      .waitFor();
    await page.getByRole('button', { name: 'quiet please' }).click();
    await form.getByLabel('Until').fill('2026-01-15T10:00');
    await form.getByRole('button', { name: 'Save' }).click();
    await form
      .getByRole('alert')
      .getByText(/until must be later than now, .*, got "2026-01-1/)
      .waitFor();
    expect(await form.getByLabel('Until').getAttribute('aria-invalid')).toBe('true');
    await form.getByRole('button', { name: 'Cancel' }).click();
    await page.goto(`${stage.site.url}/alerts?tab=history`);
    await page
      .getByRole('row', { name: /Loud.*siren: 5.*alerting/ })
      .first()
      .waitFor();
  });

  it('everything that is set up is taken away as a file and taken in again; a file with mistakes writes nothing', async () => {
    const { page } = await stage.open('/alerts?tab=rules');
    const download = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Export' }).click();
    const text = await readFile(await (await download).path(), 'utf8');
    expect(text).toContain('Loud');
    const take = (buffer: string): Promise<void> =>
      page
        .getByLabel('Import a file')
        .setInputFiles({ name: 'alerts.yaml', mimeType: 'application/yaml', buffer: Buffer.from(buffer) });
    await take(text.replace(/name: Loud/, 'name: Louder').replace(/above: 1\b/, 'above: loud'));
    await page.getByText(/Nothing was written\..*above must be a number, got "loud"/).waitFor();
    await take(text.replace(/name: Loud/, 'name: Louder'));
    await page.getByText(/written, in place of/).waitFor();
    await page.getByRole('row', { name: /Louder/ }).waitFor();
    await stage.site.server.send('DELETE', '/api/v1/alerts/rules/Louder');
  });

  it('the status page is made by an editor, has a password, and shows what was chosen', async () => {
    const { page, errors } = await stage.open('/alerts?tab=status');
    await page.getByLabel('Title', { exact: true }).fill('Our devices');
    await page.getByLabel('Devices with all of these tags').fill('owner=it');
    await page.getByLabel('What they are called').selectOption('tag:room');
    await page.getByLabel('Password').fill('open sesame');
    await page.getByLabel('Everybody who reaches').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByRole('button', { name: 'New incident' }).click();
    await page.getByLabel('What has happened').fill('The switch has failed');
    await page.getByLabel('What is new').fill('A new one is on its way.');
    await page.getByRole('button', { name: 'Save' }).last().click();
    await page.getByRole('heading', { name: 'The switch has failed' }).waitFor();

    await page.goto(`${stage.site.url}/status`);
    await page.getByLabel('This page has a password').fill('open sesame');
    await page.getByRole('button', { name: 'Show it' }).click();
    await page.getByRole('heading', { name: 'Our devices' }).waitFor();
    await page.getByText('A new one is on its way.').waitFor();
    const { pass } = (await stage.site.server.post('/api/v1/status/pass', { password: 'open sesame' })).body;
    const { body } = await stage.site.server.get('/api/v1/status', { 'x-status-pass': pass });
    expect(await page.locator('.status-line strong').allInnerTexts()).toEqual(body.lines.map(({ name }: any) => name));
    const percents = (await page.locator('.status-line .percent').allInnerTexts()).map(parseFloat);
    // It goes on falling, since the devices are silent.
    for (const [index, { percent }] of body.lines.entries()) expect(percents[index]).toBeCloseTo(percent, 0);
    expect(percents).toHaveLength(body.lines.length);
    expect(await page.locator('.days rect').count()).toBe(90 * body.lines.length);
    expect(await page.getByRole('navigation').count()).toBe(0);
    // The refusal before the password was entered is one of the console.
    expect(errors.filter((error) => !error.includes('403'))).toEqual([]);
    await stage.site.server.send('PUT', '/api/v1/status/page', { ...PAGE, password: '' });
  });
}

const PAGE = { enabled: true, title: 'Our devices', text: '', tags: ['owner=it'], names: 'tag:room' };
