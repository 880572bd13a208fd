import { existsSync } from 'node:fs';
import { describe } from '@jest/globals';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/** Debian's, or another that the environment names. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A suite that needs a browser; without one it is skipped, and says so. */
export const describeInBrowser: (name: string, suite: () => void) => void = existsSync(CHROMIUM)
  ? describe
  : (name, suite) => describe.skip(`${name} (skipped: there is no Chromium at ${CHROMIUM})`, suite);

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

/** A page that remembers what a user would never want to see in its console. */
export interface WatchedPage {
  readonly page: Page;
  /** Uncaught errors, refusals by the Content-Security-Policy, and other errors of the console. */
  readonly errors: string[];
  /** Addresses of all requests, without the origin. */
  readonly requests: string[];
}

export async function open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<WatchedPage> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const errors: string[] = [];
  const requests: string[] = [];
  // Longer than anything takes, also where others keep the machine busy.
  page.setDefaultTimeout(40_000);
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
  page.on('request', (request) => requests.push(request.url().replace(/^https?:\/\/[^/]+/, '')));
  await page.goto(url);
  return { page, errors, requests };
}
