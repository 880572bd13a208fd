import { existsSync } from 'node:fs';
import { describe } from '@jest/globals';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/** Debian's, without a window where it is there, since that costs a third less; or another that the environment names. */
const CHROMIUM =
  process.env['CHROMIUM'] ??
  ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'].find((path) => existsSync(path)) ??
  '/usr/bin/chromium';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A process that waits for a page to come costs as much as one that has it.
  '--disable-features=SpareRendererForSitePerProcess,OptimizationHints,OnDeviceModelService',
];

/** A suite that needs a browser; without one it is skipped, and says so. */
export const describeInBrowser: (name: string, suite: () => void) => void = existsSync(CHROMIUM)
  ? describe
  : (name, suite) => describe.skip(`${name} (skipped: there is no Chromium at ${CHROMIUM})`, suite);

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/** Until everything that a page asks for is there. Looked for now and then: to draw frame after frame costs more than the page. */
export async function settled(page: Page): Promise<void> {
  const isSettled = (): boolean => document.querySelectorAll('[aria-busy="true"]').length === 0;
  await page.waitForFunction(isSettled, undefined, { polling: 50 });
}

/** Until no part of a page is wider than this, px: a chart is as wide as its window only a frame after that has changed. */
export async function fits(page: Page, width: number): Promise<void> {
  const isNoWider = (most: number): boolean => document.documentElement.scrollWidth <= most;
  await page.waitForFunction(isNoWider, width, { polling: 50, timeout: 30_000 });
}

/** A page that remembers what a user would never want to see in its console. */
export interface WatchedPage {
  readonly page: Page;
  /** Uncaught errors, refusals by the Content-Security-Policy, and other errors of the console. */
  readonly errors: string[];
  /** Addresses of all requests, without the origin. */
  readonly requests: string[];
}

const VIEWPORT = { width: 1280, height: 900 };

export async function open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: VIEWPORT,
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  const requests: string[] = [];
  // Longer than anything takes, also where others keep the machine busy.
  page.setDefaultTimeout(120_000);
  page.on('pageerror', (error) => errors.push(String(error)));
  const pathOf = (address: string): string => address.replace(/^https?:\/\/[^/]+/, '');
  page.on('console', (message) => {
    const path = pathOf(message.location().url);
    // The picture between two pages has no icon of its own, which Chromium asks for then, and may be told of late.
    if (message.type() === 'error' && path !== '/favicon.ico') errors.push(`${message.text()} ${path}`);
  });
  page.on('request', (request) => requests.push(pathOf(request.url())));
  await page.goto(url);
  return { page, errors, requests };
}

/** Another address in a page that is as if it were new: it remembers nothing, and looks as at first. */
export async function openAnew({ page, errors, requests }: WatchedPage, url: string): Promise<void> {
  const { origin } = new URL(url);
  // What the page before still asks for ends with it; another origin would be another process.
  await page.goto(`${origin}/icon.svg`);
  await page.unrouteAll();
  await page.context().clearCookies();
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
  await session.detach();
  await page.setViewportSize(VIEWPORT);
  await page.emulateMedia({ colorScheme: null });
  errors.length = 0;
  requests.length = 0;
  await page.goto(url);
}
