import { lazy, type ComponentType, type LazyExoticComponent } from 'react';
import { read } from './api.js';

/** A page: where it is, what it is called, and the folder that shows it. */
export interface Page {
  /** A pattern of wouter. */
  readonly path: string;
  readonly title: string;
  /** Whether the navigation has a link to it. */
  readonly linked: boolean;
  /** A right without which the navigation has no link to it. */
  readonly needs: string | undefined;
  readonly Show: LazyExoticComponent<ComponentType>;
}

/** Of what could not be loaded from a server that is away: how often it is tried again, ms. */
const AGAIN = 2_000;
const RELOADED = 'device-metrics.reloaded';

/**
 * Loads a page. A tab that is older than an update of the server has names of files that are no more: it is loaded anew, once; while the
 * server is away it waits.
 */
async function load<T>(show: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      const shown = await show();
      sessionStorage.removeItem(RELOADED);
      return shown;
    } catch (error) {
      const isThere = await read('/healthz', {}).then(
        () => true,
        () => false,
      );
      if (isThere) {
        if (sessionStorage.getItem(RELOADED) !== null) throw error;
        sessionStorage.setItem(RELOADED, 'yes');
        location.reload();
        return new Promise<never>(() => undefined);
      }
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
}

const page = (
  path: string,
  title: string,
  show: () => Promise<{ default: ComponentType }>,
  { linked = true, needs }: { linked?: boolean; needs?: string } = {},
): Page => ({ path, title, linked, needs, Show: lazy(() => load(show)) });

/** Every page, in the order of the navigation. */
export const PAGES: readonly Page[] = [
  page('/', 'Devices', () => import('./pages/home/home.js')),
  page('/devices/*', 'Device', () => import('./pages/device/device.js'), { linked: false }),
  page('/setup', 'First user', () => import('./pages/setup/setup.js'), { linked: false }),
  page('/share', 'Shared page', () => import('./pages/share/share.js'), { linked: false }),
  page('/alerts', 'Alerts', () => import('./pages/alerts/alerts.js')),
  page('/explore', 'Explore', () => import('./pages/explore/explore.js')),
  page('/summary', 'Summary', () => import('./pages/summary/summary.js')),
  page('/availability', 'Availability', () => import('./pages/availability/availability.js')),
  page('/system', 'System', () => import('./pages/system/system.js'), { needs: 'server:read' }),
  page('/access', 'Access', () => import('./pages/access/access.js')),
];
