import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { latestChecksum, rowChecksum } from './row-checksum.js';
import { SeriesRows } from './series-rows.js';

it('the checksum of a row is the same however it is made', () => {
  const series = fc.tuple(fc.nat(), fc.nat(), fc.string({ unit: 'binary' }), fc.string(), fc.option(fc.string()));
  fc.assert(
    fc.property(fc.array(series), (rows) => {
      const checked = new SeriesRows();
      for (const [id, device, ...texts] of [...rows, ...rows]) {
        const [checksum, kind] = [rowChecksum(id, device, ...texts), checked.kindOf(...texts)];
        expect(kind).toMatchObject({ metricName: texts[0], labelsKey: texts[1], unit: texts[2] });
        expect(checked.checksumOf(id, device, kind)).toBe(checksum);
        expect(checked.checksumOf(id + 1, device, kind)).not.toBe(checksum);
      }
    }),
    { numRuns: process.env['DEVICE_METRICS_LONG'] ? 1_000 : 8 },
  );
  fc.assert(
    fc.property(fc.nat(), fc.maxSafeNat(), fc.double({ noNaN: true, noDefaultInfinity: true }), (id, time, value) => {
      expect(latestChecksum(id, time, value)).toBe(rowChecksum(id, time, value));
    }),
  );
});
