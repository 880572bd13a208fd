import { expect, it } from '@jest/globals';
import type { SeriesCatalogue } from './series-catalogue.js';
import { UNLABELLED } from './label-sets.js';
import { Device, SeriesEntry } from './series-entry.js';
import { WantedSeries } from './wanted-series.js';

it('a series that has come since is not wanted, whatever an earlier device had in its slot', () => {
  const entries: SeriesEntry[] = [];
  const add = (device: Device): SeriesEntry => {
    const entry = new SeriesEntry(entries.length, device, `m${entries.length}`, UNLABELLED, null);
    entries.push(entry);
    return entry;
  };
  const [large, small] = [new Device(1, 'large'), new Device(2, 'small')];
  const of = (device: Device, count: number): SeriesEntry[] => Array.from({ length: count }, () => add(device));
  const [many, few] = [of(large, 4), of(small, 2)];
  const wanted = new WantedSeries({ get: (id: number) => entries[id] } as SeriesCatalogue);
  wanted.begin(large);
  many.forEach((entry, place) => wanted.add(entry, place));
  wanted.begin(small);
  few.forEach((entry, place) => wanted.add(entry, 10 + place));
  const late = add(small);
  expect([...few, late, ...many].map(({ id }) => wanted.placeOf(id))).toEqual([10, 11, -1, -1, -1, -1, -1]);
  expect(wanted.has(late.id)).toBe(false);
});
