import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HOUR } from '@device-metrics/domain';
import { JournalRowWriter, readJournalRow } from '../columnar/codec/journal-row.js';
import { Heads } from '../columnar/heads.js';
import { SeriesCatalogue, type SeriesOfSamples } from '../columnar/series-catalogue.js';
import { Device, type SeriesEntry } from '../columnar/series-entry.js';
import { SeriesLimit } from '../columnar/series-limit.js';
import { eachGroup, SeriesPlaces } from '../columnar/series-places.js';
import { DEFAULT_SETTINGS } from '../columnar/store-settings.js';
import { OwnSamples } from './own-rows.js';

const START = 491_000 * HOUR;
const DEVICES = [1, 2, 3];
/** Device by device in turn, so that no slot is its id. */
const IDS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const deviceOf = (id: number): number => ((id - 1) % DEVICES.length) + 1;

/** An empty store's devices, series and heads. */
function emptyHeads(): { catalogue: SeriesCatalogue; heads: Heads } {
  const writesNothing = (): never => {
    throw new Error('all series are there');
  };
  const catalogue = new SeriesCatalogue(
    {
      addDevice: writesNothing,
      nextSeriesId: writesNothing,
      addSeries: writesNothing,
      setUnit: writesNothing,
      lastSeriesId: () => 9,
    },
    new SeriesLimit(DEFAULT_SETTINGS, () => START),
  );
  for (const id of DEVICES) catalogue.loadDevice(new Device(id, `pc-${id}`));
  for (const id of IDS) {
    const names = { metric_name: `m.${id}`, labels_key: '{}', unit: null };
    catalogue.loadSeries({ id, device_id: deviceOf(id), ...names, ts: null, value: null });
  }
  return { catalogue, heads: new Heads(catalogue, 1e6) };
}

/** All that there is, and the first and the last row of each head in the order in which they were opened. */
function stateOf({ catalogue, heads }: ReturnType<typeof emptyHeads>): unknown {
  const all = Array.from(heads.all(), (head) => {
    const columns: unknown[] = [];
    head.columns((id, { times, values }) => columns.push([id, [...times], [...values]]));
    return [head.device.id, head.hour, head.firstRow, head.lastRow, columns];
  });
  const latest = IDS.map((id) => [catalogue.latest.timeOf(id), catalogue.latest.valueOf(id)]);
  return { all, latest, size: heads.size };
}

describe('samples of a commit', () => {
  it('go to the heads and into the journal row as they would one by one, in groups or not', () => {
    const series = fc.array(fc.constantFrom(...IDS), { minLength: 1, maxLength: 6 });
    const request = fc.record({
      groups: fc.array(series, { minLength: 1, maxLength: 3 }),
      areGroups: fc.boolean(),
      areColumns: fc.boolean(),
      times: fc.array(fc.nat({ max: 2 * HOUR - 1 }), { minLength: 18, maxLength: 18 }),
    });
    const rows = fc.array(fc.array(request, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(rows, (all) => {
        const [together, oneByOne] = [emptyHeads(), emptyHeads()];
        // Memory that is used again.
        const own = new OwnSamples();
        const writer = new JournalRowWriter();
        let value = 0;
        for (const [index, requests] of all.entries()) {
          const row = index + 1;
          const expected: [id: number, timestamp: number, value: number][] = [];
          own.clear();
          for (const { groups, areGroups, areColumns, times } of requests) {
            const ids = groups.flat();
            const samples = ids.map((id, at) => ({
              ...{ deviceName: `pc-${deviceOf(id)}`, metricName: `m.${id}`, unit: undefined, labels: {} },
              ...{ timestamp: START + times[at], value: (value += 1) },
            }));
            samples.forEach(({ timestamp, value: one }, at) => expected.push([ids[at], timestamp, one]));
            const entriesOf = (some: readonly number[]): SeriesEntry[] =>
              some.map((id) => together.catalogue.get(id) as SeriesEntry);
            const found: SeriesOfSamples = areGroups
              ? { groups: groups.map((group) => new SeriesPlaces(entriesOf(group))) }
              : { entries: entriesOf(ids) };
            const columns = {
              series: ids.map(() => undefined as never),
              timestamps: Float64Array.from(samples, ({ timestamp }) => timestamp),
              values: Float64Array.from(samples, (sample) => sample.value),
            };
            own.add(areColumns ? columns : samples, found);
          }
          writer.reserve(own.length);
          eachGroup(own.places, ({ ids }, start) => writer.addIds(ids, start, own.timestamps, own.values));
          const { seriesIds, timestamps, values } = readJournalRow(writer.lend(row), row);
          expect(Array.from(seriesIds, (id, at) => [id, timestamps[at], values[at]])).toEqual(expected);
          eachGroup(own.places, (places, start) => together.heads.pushPlaces(places, start, own, row, START));
          for (const [id, timestamp, one] of expected) {
            oneByOne.heads.push(oneByOne.catalogue.get(id) as SeriesEntry, timestamp, one, row, START);
          }
        }
        expect(stateOf(together)).toEqual(stateOf(oneByOne));
      }),
    );
  });
});
