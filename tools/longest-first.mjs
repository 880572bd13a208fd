import TestSequencer from '@jest/test-sequencer';

/** What takes longest on its own: begun last, it would keep one core waiting at the end. */
const LONG = [
  'apps/dashboard/test/dashboard.test.ts',
  'libs/storage/src/store.test.ts',
  'apps/dashboard/test/access.test.ts',
  'libs/storage/src/postgres/processes.test.ts',
  'test/update.test.ts',
  'apps/api/test/alerts/alerts.test.ts',
  'test/join.test.ts',
  'test/torture.test.ts',
  'apps/api/test/alerts/rest.test.ts',
  'apps/api/test/postgres.test.ts',
];

/** Jest's own order, with the longest files first: a fresh clone does not know yet how long each takes. */
export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const rank = ({ path }) => LONG.findIndex((long) => path.endsWith(`/${long}`));
    const sorted = super.sort(tests);
    return [
      ...sorted.filter((test) => rank(test) >= 0).sort((a, b) => rank(a) - rank(b)),
      ...sorted.filter((test) => rank(test) < 0),
    ];
  }
}
