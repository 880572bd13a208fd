import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Secret, TOTP } from 'otpauth';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { Server, temporaryFolder } from '../../api/test/server.js';
import { describeInBrowser, launch, open, openAnew, type WatchedPage } from './browser.js';

const PASSWORD = 'correct horse battery';

describeInBrowser('access', () => {
  let server: Server;
  let browser: Browser;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  /** Everybody here comes through a proxy, and so from another machine. */
  const elsewhere: BrowserContextOptions = { extraHTTPHeaders: { via: '1.1 proxy' } };
  let admin: Page;
  let other: WatchedPage | undefined;
  /** The page of somebody else: one for all of them, since the process behind it costs more than what they do. */
  const visit = async (path: string): Promise<Page> => {
    if (other) await openAnew(other, server.url + path);
    else other = await open(browser, server.url + path, elsewhere);
    return other.page;
  };

  beforeAll(async () => {
    folder = await temporaryFolder();
    const settings = { DATABASE_PATH: `${folder.path}/metrics.db` };
    const [invited] = await Promise.all([
      Server.command(['invite'], settings),
      launch().then((made) => (browser = made)),
    ]);
    expect(invited.join()).toContain('Code ');
    server = await Server.start({ ...settings, HOST: '0.0.0.0' });
    for (const [device_name, metric_name] of [
      ['lab-pc', 'system.cpu.utilization'],
      ['lab-pc', 'system.uptime'],
      ['rack-pc', 'system.cpu.utilization'],
    ]) {
      await server.post('/api/v1/aggregator/metrics', { device_name, metric_name, value: 0.5 });
    }
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await folder?.remove();
  });

  const signIn = async (
    page: Pick<Page, 'getByLabel' | 'getByRole'>,
    name: string,
    password = PASSWORD,
  ): Promise<void> => {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
  };

  it('the link of the log makes the first admin, once; without it nobody becomes one', async () => {
    const stranger = await visit('/setup');
    await stranger.getByText('The first user is made by the link in the log').waitFor();
    await stranger.goto(`${server.url}/`);
    await stranger.getByText('There is no user yet').waitFor();

    const link = server.log.join('\n').match(/https?:\/\/\S+(\/setup#code=\S+)/)?.[1] ?? '';
    admin = (await open(browser, server.url + link, elsewhere)).page;
    await admin.getByLabel('Name').fill('anna');
    await admin.getByLabel('Password, at least').fill(PASSWORD);
    await admin.getByLabel('The same again').fill(PASSWORD);
    expect(admin.url()).not.toContain('code');
    await admin.getByRole('button', { name: 'Make it and sign in' }).click();
    await admin.getByRole('heading', { name: 'anna' }).waitFor();

    await stranger.goto(server.url + link);
    await stranger.reload();
    await stranger.getByText('There is a user already').waitFor();
  });

  it('an admin sets up one-time codes, and is asked for one at the sign-in', async () => {
    await admin.getByRole('button', { name: 'Set them up' }).click();
    await admin.getByRole('img', { name: 'QR code' }).waitFor();
    const secret = await admin.getByLabel('Secret of the one-time codes', { exact: true }).innerText();
    const totp = new TOTP({ secret: Secret.fromBase32(secret.trim()) });
    await admin.getByLabel('Code that the app shows').fill('000000');
    await admin.getByRole('button', { name: 'Turn them on' }).click();
    await admin.getByRole('alert').waitFor();
    await admin.getByLabel('Code that the app shows').fill(totp.generate());
    await admin.getByRole('button', { name: 'Turn them on' }).click();
    await admin.getByRole('button', { name: 'Ask for no codes any more' }).waitFor();

    await admin.getByRole('banner').getByRole('button', { name: 'Sign out' }).click();
    await signIn(admin, 'anna', 'wrong password');
    await admin.getByText('is not right').waitFor();
    await signIn(admin, 'anna');
    await admin.getByLabel('Code that your app shows').fill(totp.generate({ timestamp: Date.now() + 30_000 }));
    await admin.getByRole('button', { name: 'Sign in' }).click();
    await admin.getByRole('heading', { name: 'Devices' }).waitFor();

    await admin.getByRole('link', { name: 'anna' }).click();
    await admin.getByLabel('Password', { exact: true }).last().fill(PASSWORD);
    await admin.getByRole('button', { name: 'Ask for no codes any more' }).click();
    await admin.getByRole('button', { name: 'Set them up' }).waitFor();
  });

  it('an admin makes a user, who sees what their tags say, is offered what their role allows, and is deleted', async () => {
    await admin.goto(`${server.url}/access?tab=users`);
    await admin.getByRole('button', { name: 'New user' }).click();
    await admin.getByLabel('Name').fill('vera');
    await admin.getByLabel('Password, at least').fill(PASSWORD);
    await admin.getByRole('button', { name: 'Make the user' }).click();
    await admin.getByRole('row', { name: /vera.*viewer/ }).waitFor();

    const vera = await visit('/devices/lab-pc?range=15m');
    await signIn(vera, 'vera');
    await vera.getByRole('heading', { name: 'lab-pc' }).waitFor();
    expect(await vera.getByRole('button', { name: /^(Edit|Share)$/ }).count()).toBe(0);
    await vera.getByRole('link', { name: 'Devices', exact: true }).click();
    await vera.getByRole('link', { name: 'rack-pc' }).waitFor();
    expect(await vera.getByRole('button', { name: 'Add a PC' }).count()).toBe(0);

    await admin.getByRole('button', { name: 'Change vera' }).click();
    await admin.getByLabel('Role').selectOption('editor');
    await admin.getByLabel('Only devices with these tags').fill('room');
    await admin.getByRole('button', { name: 'Save' }).click();
    await admin.getByText('A tag is name=value, got room.').waitFor();
    await admin.getByLabel('Only devices with these tags').fill('room=lab');
    await admin.getByRole('button', { name: 'Save' }).click();
    await admin.getByRole('row', { name: /vera.*editor.*room=lab/ }).waitFor();
    await admin.getByRole('button', { name: 'Delete vera' }).click();
    await admin.getByRole('button', { name: 'Delete for good: vera' }).click();
    await admin.getByRole('row', { name: /vera/ }).waitFor({ state: 'detached' });
    await vera.reload();
    await vera.getByRole('heading', { name: 'Sign in' }).waitFor();
  });

  it('who is limited to some devices is offered nothing of the whole site, and may acknowledge', async () => {
    const wish = { name: 'lina', role: 'editor', password: PASSWORD, tags: { room: 'lab' } };
    await admin.evaluate(
      (body) => fetch('/api/v1/users', { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
      JSON.stringify(wish),
    );
    const lina = await visit('/alerts?tab=rules');
    await signIn(lina, 'lina');
    await lina.getByRole('button', { name: 'Too hot' }).click();
    expect(await lina.getByRole('dialog').getByRole('button', { name: 'Save' }).count()).toBe(0);
    expect(await lina.getByRole('button', { name: 'New rule' }).count()).toBe(0);
    const tabs = lina.getByRole('group', { name: 'Part of the page' }).getByRole('button');
    expect(await tabs.allInnerTexts()).toEqual(['Now', 'History', 'Rules']);
    await admin.goto(`${server.url}/access?tab=users`);
    await admin.getByRole('button', { name: 'Delete lina' }).click();
    await admin.getByRole('button', { name: 'Delete for good: lina' }).click();
    await admin.getByRole('row', { name: /lina/ }).waitFor({ state: 'detached' });
  });

  it('a session that ends takes no form along: the same person goes on with it, and nobody else sees it', async () => {
    const make = (name: string): Promise<unknown> =>
      admin.evaluate(
        (body) => fetch('/api/v1/users', { method: 'POST', headers: { 'content-type': 'application/json' }, body }),
        JSON.stringify({ name, role: 'editor', password: PASSWORD }),
      );
    await Promise.all(['ed', 'eva'].map(make));
    const page = await visit('/alerts?tab=quiet');
    await signIn(page, 'ed');
    await page.getByRole('button', { name: 'New silence' }).click();
    const form = page.getByRole('dialog', { name: 'New silence' });
    const again = page.getByRole('dialog', { name: 'Sign in again' });
    const end = async (): Promise<void> => {
      await page.context().clearCookies();
      await form.getByRole('button', { name: 'Save' }).click();
      await again.waitFor();
    };
    await form.getByLabel('Name', { exact: true }).fill('while I was away');
    await end();
    for (let times = 0; times < 3; times += 1) await page.keyboard.press('Escape');
    await signIn(again, 'ed');
    await again.waitFor({ state: 'detached' });
    expect(await form.getByLabel('Name', { exact: true }).inputValue()).toBe('while I was away');
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('row', { name: /while I was away/ }).waitFor();

    await page.getByRole('button', { name: 'New silence' }).click();
    await form.getByLabel('Name', { exact: true }).fill('of ed alone');
    await end();
    await signIn(again, 'eva');
    await again.waitFor({ state: 'detached' });
    await page.getByRole('banner').getByText('eva').waitFor();
    await page.getByRole('row', { name: /while I was away/ }).waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    for (const name of ['ed', 'eva']) {
      await admin.evaluate((user) => fetch(`/api/v1/users/${user}`, { method: 'DELETE' }), name);
    }
  });

  it('a token is shown once, is rotated and revoked', async () => {
    await admin.goto(`${server.url}/access?tab=tokens`);
    await admin.getByRole('button', { name: 'New token' }).click();
    await admin.getByLabel('Name, as the program').fill('telegraf');
    await admin.getByLabel('Devices, comma between').fill('lab-*, rack-*');
    await admin.getByRole('button', { name: 'Make the token' }).click();
    const tokenOf = async (): Promise<string> => (await admin.getByLabel('Token', { exact: true }).innerText()).trim();
    const status = async (token: string): Promise<number> => {
      const sample = { device_name: 'lab-pc', metric_name: 'm', value: 1 };
      return (await server.post('/api/v1/aggregator/metrics', sample, { authorization: `Bearer ${token}` })).status;
    };
    const token = await tokenOf();
    expect(await status(token)).toBe(201);
    await admin.getByRole('button', { name: 'Done' }).click();
    await admin.getByRole('row', { name: /telegraf.*ingest.*lab-\*/ }).waitFor();
    await admin.getByText(token).first().waitFor({ state: 'detached' });
    expect(await admin.content()).not.toContain(token);

    await admin.getByRole('button', { name: 'Rotate telegraf' }).click();
    await admin.getByLabel('The secret of before').selectOption('0');
    await admin.getByRole('button', { name: 'Make another secret' }).click();
    const next = await tokenOf();
    expect([await status(token), await status(next)]).toEqual([401, 201]);
    await admin.getByRole('button', { name: 'Done' }).click();
    await admin.getByRole('button', { name: 'Revoke telegraf' }).click();
    await admin.getByRole('button', { name: /^Revoke, at once/ }).click();
    await admin.getByRole('row', { name: /telegraf.*revoked/ }).waitFor();
    expect(await status(next)).toBe(401);
  });

  it('of two machines of one name the second waits until an admin says what it is', async () => {
    await admin.goto(`${server.url}/access?tab=collectors`);
    await admin.getByRole('button', { name: 'Add a PC' }).click();
    await admin.getByLabel('For how many PCs').fill('3');
    await admin.getByRole('button', { name: 'Make an invitation' }).click();
    const line = await admin.getByLabel('Command that joins the PC', { exact: true }).innerText();
    await admin.getByRole('button', { name: 'Close' }).click();
    const code = /--code (\S+)/.exec(line)?.[1];
    const join = () => server.post('/api/v1/collectors/join', { code, device_name: 'vm', platform: 'linux x64' });
    const states = [await join(), await join(), await join()].map(({ body }) => body.state);
    expect(states).toEqual(['active', 'conflict', 'conflict']);
    await admin.reload();
    await admin.getByRole('link', { name: '2 PCs wait for you' }).waitFor();
    const conflicts = admin.getByRole('group', { name: 'Two machines called vm' });
    await conflicts.first().getByRole('button', { name: 'It is a new device' }).click();
    await admin.getByRole('row', { name: /vm-2, calls itself vm/ }).waitFor();
    await conflicts.first().getByRole('button', { name: 'It is the same' }).click();
    await conflicts.first().waitFor({ state: 'detached' });
    const { collectors } = await admin.evaluate(async () => (await fetch('/api/v1/collectors')).json());
    expect(collectors.map(({ device_name, state }: any) => `${device_name} ${state}`)).toEqual([
      'vm moved',
      'vm active',
      'vm-2 active',
    ]);
  });

  it('an admin writes what collectors read, sees what a device would get, and goes back to an earlier version', async () => {
    await admin.goto(`${server.url}/system`);
    await admin.getByRole('button', { name: 'New configuration of collectors' }).click();
    await admin.getByLabel('collector.yaml').fill('third_party: [{ protocol: snmp, device: rack }]');
    await admin.getByRole('button', { name: 'What would it get?' }).click();
    await admin.getByText('third_party[0].host').waitFor();
    await admin.getByRole('button', { name: 'Save' }).click();
    await admin.getByRole('alert').getByText('third_party[0].host is missing').waitFor();
    await admin.getByLabel('collector.yaml').fill('pc: { gpu: false }');
    await admin.getByRole('button', { name: 'What would it get?' }).click();
    await admin.getByText('Of all; it is right').waitFor();
    await admin.getByRole('button', { name: 'Save' }).click();
    await admin.getByRole('row', { name: /any tag 1 (now|\d+ s ago) by user anna 2 do not ask/ }).waitFor();

    await admin.getByRole('button', { name: 'Change all' }).click();
    await admin.getByLabel('collector.yaml').fill('pc: false');
    await admin.getByRole('button', { name: 'Save' }).click();
    await admin.getByRole('row', { name: /any tag 2/ }).waitFor();
    await admin.getByRole('button', { name: 'Change all' }).click();
    await admin.getByLabel('Version').selectOption('1');
    await admin.waitForFunction(() => document.querySelector('textarea')?.value === 'pc: { gpu: false }');
    await admin.getByRole('button', { name: 'Cancel' }).click();
    await admin.getByRole('button', { name: 'Remove all' }).click();
    await admin.getByRole('button', { name: 'Remove it: all' }).click();
    await admin.getByRole('row', { name: /any tag/ }).waitFor({ state: 'detached' });
  });

  it('a link shows one picture, and nothing else, to whoever has it; until it is withdrawn', async () => {
    await admin.goto(`${server.url}/devices/lab-pc?range=15m`);
    await admin.getByRole('button', { name: 'Take away: CPU' }).first().click();
    await admin.getByRole('button', { name: 'Share this picture' }).click();
    await admin.getByLabel('Who it is for').fill('janitor');
    await admin.getByRole('button', { name: 'Make the link' }).click();
    const link = new URL((await admin.getByLabel('Link', { exact: true }).innerText()).trim());

    const guest = await visit(link.pathname + link.hash);
    await guest.getByRole('heading', { name: 'lab-pc' }).waitFor();
    expect(guest.url()).not.toContain('dm_share');
    await guest.locator('article.chart canvas').first().waitFor();
    expect(await guest.locator('article.chart').count()).toBe(1);
    expect(await guest.getByRole('navigation', { name: 'Pages' }).count()).toBe(0);
    expect(await guest.getByRole('button', { name: /^(Edit|Share)$/ }).count()).toBe(0);
    await guest.goto(`${server.url}/devices/rack-pc`);
    await guest.getByText('There is no device').waitFor();

    await admin.goto(`${server.url}/access?tab=links`);
    await admin.getByRole('button', { name: 'Withdraw janitor' }).click();
    await admin.getByRole('button', { name: 'Withdraw, at once: janitor' }).click();
    await admin.getByRole('row', { name: /janitor.*revoked/ }).waitFor();
    await guest.goto(`${server.url}/devices/lab-pc`);
    await guest.getByRole('heading', { name: 'Sign in' }).waitFor();
    await guest.goto(server.url + link.pathname + link.hash);
    await guest.reload();
    await guest.getByText('This link does not open').waitFor();
  });

  it('a kiosk link has nothing to click; who is signed in is asked before their session goes', async () => {
    await admin.getByRole('button', { name: 'New link' }).click();
    await admin.getByLabel('Who it is for').fill('wall');
    await admin.getByRole('textbox', { name: 'Page' }).fill('/');
    await admin.getByLabel('Devices, comma between').fill('lab-*');
    await admin.getByLabel('For a screen on the wall').check();
    await admin.getByRole('button', { name: 'Make the link' }).click();
    const link = new URL((await admin.getByLabel('Link', { exact: true }).innerText()).trim());
    await admin.getByRole('button', { name: 'Done' }).click();
    const wall = await visit(link.pathname + link.hash);
    await wall.getByRole('link', { name: 'lab-pc' }).waitFor();
    expect(await wall.getByRole('banner').count()).toBe(0);
    expect(await wall.getByRole('link', { name: 'rack-pc' }).count()).toBe(0);

    await admin.goto(server.url + link.pathname + link.hash);
    await admin.getByText('This browser is signed in as anna').waitFor();
    await admin.getByRole('link', { name: 'Stay' }).click();
    await admin.getByRole('heading', { name: 'Devices' }).waitFor();
    await admin.goto(`${server.url}/access?tab=audit`);
    await admin.getByRole('row', { name: /share\.create wall/ }).waitFor();
  });
});
