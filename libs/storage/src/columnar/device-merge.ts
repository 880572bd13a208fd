import { conversionBetween, quote, type Series } from '@device-metrics/domain';
import { NotMergeableError } from '../store.js';
import { joinColumns, type Column } from './column.js';
import type { Head } from './head.js';
import type { SeriesTarget } from './merge-hour.js';
import { PieceEncoder, type EncodedPiece } from './piece.js';
import type { Device } from './series-entry.js';

const SAME = { factor: 1, offset: 0 };

/**
 * What makes values of one series those of another.
 *
 * @throws NotMergeableError
 */
export function conversionInto(
  series: Pick<Series, 'metricName' | 'deviceName' | 'unit'>,
  into: Pick<Series, 'deviceName' | 'unit'>,
): SeriesTarget['conversion'] {
  const [from, to] = [series.unit, into.unit];
  const found = from === null || to === null ? SAME : conversionBetween(from, to);
  if (found) return found;
  throw new NotMergeableError(
    `${quote(series.metricName)} is in ${quote(from)} of ${quote(series.deviceName)} and in ${quote(to)} of ` +
      `${quote(into.deviceName)}, and one does not convert into the other`,
  );
}

/**
 * Asks whether all series of one device can be those of another.
 *
 * @param maxSeries that a device may have; 0: any number.
 * @throws NotMergeableError
 */
export function assertMergeable(source: Device, target: Device, maxSeries: number): void {
  let count = target.seriesCount;
  for (const entry of source.entries()) {
    const known = target.find(entry.metricName, entry.labelsKey);
    if (!known) count += 1;
    else conversionInto(entry.series, known.series);
  }
  if (maxSeries > 0 && count > maxSeries) {
    throw new NotMergeableError(
      `${quote(source.name)} and ${quote(target.name)} have ${count} series together, and a device may have ${maxSeries} ` +
        '(MAX_SERIES_PER_DEVICE)',
    );
  }
}

/** What the heads of a device have, as one part for each hour, at once. */
export function partsOfHeads(heads: readonly Head[]): { hour: number; sealedThrough: number; piece: EncodedPiece }[] {
  const byHour = new Map<number, Head[]>();
  for (const head of heads) byHour.set(head.hour, [...(byHour.get(head.hour) ?? []), head]);
  const encoder = new PieceEncoder();
  return [...byHour].flatMap(([hour, ofHour]) => {
    const columns = new Map<number, Column>();
    for (const head of ofHour) {
      head.columns((id, column) => {
        const before = columns.get(id);
        columns.set(id, before ? joinColumns([before, column]) : column);
      });
    }
    if (columns.size === 0) return [];
    encoder.begin(hour);
    for (const [id, column] of [...columns].sort(([a], [b]) => a - b)) encoder.add(id, column);
    const sealedThrough = ofHour.reduce((last, { lastRow }) => Math.max(last, lastRow), 0);
    return [{ hour, sealedThrough, piece: encoder.finishNow() }];
  });
}
