import type { Series } from '@device-metrics/domain';
import type { SampleStore } from '@device-metrics/storage';
import { selects, selectsDevice, type FleetQuery } from '../http/series-query.js';

/** The series that a query is about, by device, metric and labels. */
export async function findSeries(store: SampleStore, query: FleetQuery): Promise<Series[]> {
  const all = await store.findSeries({});
  if (query.tag === undefined) return all.filter(selects(query));
  const devices = (await store.devices()).filter(selectsDevice(query));
  const names = new Set(devices.map(({ name }) => name));
  const selected = selects(query);
  return all.filter((series) => names.has(series.deviceName) && selected(series));
}
