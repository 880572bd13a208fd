import { Injectable } from '@nestjs/common';
import { timeRule, type Receipt } from '@device-metrics/domain';
import { SeriesEnds, type NamedEnd } from '../metadata/series-ends.js';
import type { Refusals } from './refusals.js';

/** Takes what is said of series that have no value any more, by the rules that hold for their samples. */
@Injectable()
export class TakeEnds {
  constructor(private readonly ends: SeriesEnds) {}

  /** How many were taken; the others are noted in `refusals`. Must come after the samples of the same request. */
  async take(given: readonly NamedEnd[], receipt: Receipt, refusals: Refusals): Promise<number> {
    if (given.length === 0) return 0;
    const isTime = timeRule(() => receipt.receivedAt, receipt.oldest, receipt.timeUnit);
    const taken: NamedEnd[] = [];
    for (const { series, timestamp } of given) {
      const device = receipt.deviceOf?.(series.deviceName) ?? series.deviceName;
      const late = isTime(timestamp);
      if (series.fault) refusals.add(`${series.fault.field} ${series.fault.reason}`);
      else if (typeof device === 'object') refusals.add(`device_name ${device.refused}`);
      else if (late !== undefined) refusals.add(`timestamp ${late}`);
      else taken.push({ series: series.as(device, series.unit), timestamp });
    }
    await this.ends.note(taken);
    return taken.length;
  }
}
