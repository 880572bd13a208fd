import { expect, it } from '@jest/globals';
import { NamedSeries, NO_LABELS, SeriesGroup } from '@device-metrics/domain';
import { Arrivals } from './arrivals.js';

const NOW = 1_700_000_000_000;

const groupOf = (deviceName: string): SeriesGroup =>
  new SeriesGroup(
    ['a', 'b'].map((metricName) => NamedSeries.of({ deviceName, metricName, unit: undefined, labels: NO_LABELS })),
  );

const columnsOf = (groups: readonly SeriesGroup[], ...timestamps: number[]) => ({
  series: groups.flatMap(({ series }) => series),
  timestamps: Float64Array.from(timestamps),
  groups,
});

it('samples of a device count together, whether they come as the same group again, as another one, or by name', () => {
  const arrivals = new Arrivals();
  const [one, again, other] = [groupOf('pc-1'), groupOf('pc-1'), groupOf('pc-2')];
  arrivals.note(columnsOf([one, other], NOW - 10, NOW - 10, NOW - 90, NOW - 80), 1_000, NOW);
  arrivals.note(columnsOf([one], NOW + 10, NOW + 20), 2_000, NOW + 50);
  arrivals.note(columnsOf([again], NOW - 40, NOW - 30), 3_000, NOW + 50);
  const { series, timestamps } = columnsOf([other], NOW - 100, NOW - 70);
  arrivals.note({ series, timestamps }, 4_000, NOW);

  expect(arrivals.of('pc-1')).toMatchObject({ heard: 3_000, newest: NOW + 20, behind: 30, oldest: NOW - 40 });
  expect(arrivals.of('pc-2')).toMatchObject({ heard: 4_000, newest: NOW - 70, behind: 70, oldest: NOW - 100 });
  expect([...arrivals.all()]).toHaveLength(2);
});

it('the newest time counts for a minute, and how far it was behind is kept for another', () => {
  const arrivals = new Arrivals();
  const group = groupOf('pc-1');
  arrivals.note(columnsOf([group], NOW, NOW), 0, NOW);
  arrivals.note(columnsOf([group], NOW - 5_000, NOW - 4_000), 60_001, NOW + 60_000);

  expect(arrivals.of('pc-1')).toMatchObject({ newest: NOW - 4_000, behind: 64_000, behindBefore: 0 });
});
