import type { Browser, BrowserContextOptions } from 'playwright-core';
import { MINUTE } from '@device-metrics/domain';
import { describeFleet, FleetDevice, sendFleet } from '../../../tools/bench/dashboard/fleet.mjs';
import { launch, open, type WatchedPage } from './browser.js';
import { startSite, type Site } from './site.js';

const COUNT = 500;
/** Devices that have tags, and readings each ten seconds. */
const DETAILED = 12;

/** What all tests of the page share: a browser, and an api with a fleet whose readings end when it was started. */
export class Stage {
  readonly devices = Array.from({ length: COUNT }, (_, index) => new FleetDevice(index));
  /** The first of the devices, of which there are two hours. */
  readonly device = this.devices[0]!;
  readonly tagged = this.devices.slice(0, DETAILED);
  /** Where the readings end, a full minute. */
  readonly end = Math.floor(Date.now() / MINUTE) * MINUTE;
  site!: Site;
  browser!: Browser;

  async start(): Promise<void> {
    [this.site, this.browser] = await Promise.all([startSite(), launch()]);
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

  open(path: string, options?: BrowserContextOptions): Promise<WatchedPage> {
    return open(this.browser, this.site.url + path, options);
  }
}
