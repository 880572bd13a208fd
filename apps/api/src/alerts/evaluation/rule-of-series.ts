import { convert, fromCatalogueUnit, type Conversion, type Series } from '@device-metrics/domain';
import type { LevelCondition, Rule } from '../rules/rule.js';
import { ruleOfDevice, withLevel, type RuleOfDevice } from './judge.js';
import type { Numbers } from './measure.js';

/**
 * A rule as it holds for a series: with its levels in the unit of the series, and with the level that the thing has of itself.
 *
 * @param own by the id of the series, in its unit.
 */
export function ruleOfSeries(rule: Rule, own: Numbers): (series: Series) => RuleOfDevice {
  const { condition } = rule;
  const of = ruleOfDevice(rule);
  return (series) => {
    const ofDevice = of(series.deviceName);
    const level = own.get(series.id);
    if (level !== undefined) return { ...ofDevice, bounds: withLevel(ofDevice.bounds, level) };
    const conversion = condition.type === 'level' ? conversionOf(condition, series) : undefined;
    return conversion ? inUnit(ofDevice, conversion) : ofDevice;
  };
}

/** What makes the levels of a condition, which are of the catalogue's unit, ones of a series; undefined where they are. */
function conversionOf({ measure }: LevelCondition, { metricName, unit }: Series): Conversion | undefined {
  const conversion = measure === 'share' || measure === 'count' ? undefined : fromCatalogueUnit(metricName, unit);
  if (!conversion) return undefined;
  // Of what grows only the size of a degree counts, and a sum has as many zero points as samples.
  if (measure === 'rate' || measure === 'increase') return { ...conversion, offset: 0 };
  return measure === 'sum' && conversion.offset !== 0 ? undefined : conversion;
}

function inUnit(ofDevice: RuleOfDevice, conversion: Conversion): RuleOfDevice {
  const { bounds, clearLevel } = ofDevice;
  const of = (level: number | undefined): number | undefined =>
    level === undefined ? undefined : convert(level, conversion);
  const outside =
    bounds.outside && ([convert(bounds.outside[0], conversion), convert(bounds.outside[1], conversion)] as const);
  return {
    ...ofDevice,
    bounds: { above: of(bounds.above), below: of(bounds.below), outside, equals: of(bounds.equals) },
    clearLevel: of(clearLevel),
  };
}
