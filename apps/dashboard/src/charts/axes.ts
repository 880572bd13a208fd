import type uPlot from 'uplot';
import { DAY, MINUTE } from '@device-metrics/domain';
import { clockText, dateText, dayText, monthText, type Zone } from '../time-window.js';
import type { Formatter } from '../units.js';

/** The words at the ticks of the time axis: the clock, and the day where it changes. */
export function timeTicks(ticks: readonly number[], distance: number, zone: Zone): string[] {
  let before = '';
  return ticks.map((time) => {
    if (distance >= 28 * DAY) return monthText(time, zone);
    const day = dayText(time, zone);
    if (distance >= DAY) return day;
    const clock = clockText(time, zone, distance < MINUTE);
    const changes = before !== '' && day !== before;
    before = day;
    return changes ? `${clock}\n${day}` : clock;
  });
}

/** The distances of ticks that are round for bytes. */
export const BINARY_STEPS = Array.from({ length: 1_024 }, (_, power) => 2 ** power);

/** What the ends of a time axis are, in words for those who do not see it. */
export const spanText = (start: number, end: number, zone: Zone): string =>
  `${dateText(start, zone)} ${clockText(start, zone)} to ${dateText(end, zone)} ${clockText(end, zone)}`;

/** Further digits that labels have at the most: beyond, no two doubles are told apart. */
const MOST_DIGITS = 17;

/** Labels of the value axis as long as they must be: with so many digits that no two of them are the same. */
export const valueTicks =
  (format: Formatter): uPlot.Axis.DynamicValues =>
  (_, ticks) => {
    const labels = (words: Formatter): string[] => ticks.map((tick) => (tick === null ? '' : words(tick)));
    const different = new Set(ticks).size;
    for (let more = 0; more <= MOST_DIGITS; more += 1) {
      const found = labels((tick) => withoutZeros(format(tick, more)));
      if (new Set(found).size === different) return found;
    }
    return labels(String);
  };

const withoutZeros = (text: string): string => text.replace(/\.0+(?=\D|$)/, '').replace(/(\.\d*?)0+(?=\D|$)/, '$1');

/** The lowest and highest value that an axis shows. */
export function valueRange(
  low: number | null,
  high: number | null,
  fromZero: boolean,
  whole: boolean,
): [number, number] {
  if (low === null || high === null) return [0, 1];
  if (whole && low >= 0 && high <= 1.0001) return [0, 1];
  if (fromZero && low >= 0) return [0, high === 0 ? 1 : Math.min(high * 1.06, Number.MAX_VALUE)];
  const room = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
  return [low >= 0 ? Math.max(0, low - room) : low - room, Math.min(high + room, Number.MAX_VALUE)];
}
