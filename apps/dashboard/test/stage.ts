import type { Browser, BrowserContextOptions } from 'playwright-core';
import { MINUTE } from '@device-metrics/domain';
import { describeFleet, FleetDevice, sendFleet } from '../../../tools/bench/dashboard/fleet.mjs';
import { launch, open, openAnew, type WatchedPage } from './browser.js';
import { startSite, type Site } from './site.js';

const COUNT = 200;
/** Devices that have tags, and readings each ten seconds. */
const DETAILED = 12;

/** What all tests of the page share: a browser, and an api, to which comes a fleet whose readings end when it was started. */
export class Stage {
  readonly devices = Array.from({ length: COUNT }, (_, index) => new FleetDevice(index));
  /** The first of the devices, of which there are two hours. */
  readonly device = this.devices[0]!;
  readonly tagged = this.devices.slice(0, DETAILED);
  /** Where the readings end, a full minute. */
  readonly end = Math.floor(Date.now() / MINUTE) * MINUTE;
  site!: Site;
  browser!: Browser;
  private shared: WatchedPage | undefined;

  async start(): Promise<void> {
    [this.site, this.browser] = await Promise.all([startSite(), launch()]);
  }

  async fill(): Promise<void> {
    const { end, device, tagged } = this;
    const send = (devices: FleetDevice[], minutes: number, interval: number): Promise<void> =>
      sendFleet(this.site.url, { devices, start: end - minutes * MINUTE, end, interval });
    await send([device], 120, 10_000);
    await send(tagged.slice(1), 20, 10_000);
    await send(this.devices.slice(DETAILED), 10, MINUTE);
    await describeFleet(this.site.url, tagged);
  }

  async close(): Promise<void> {
    await this.browser?.close();
    await this.site?.end();
  }

  /**
   * A page that knows nothing of those before. It is one for all tests, since the process behind it costs more than most of
   * them; with options it is another, which the test closes.
   */
  async open(path: string, options?: BrowserContextOptions): Promise<WatchedPage> {
    const url = this.site.url + path;
    if (options) return open(this.browser, url, options);
    if (this.shared) await openAnew(this.shared, url);
    else this.shared = await open(this.browser, url);
    return this.shared;
  }
}
