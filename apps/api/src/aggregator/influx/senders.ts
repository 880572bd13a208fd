import { convertibleUnits, toBaseUnit, type Labels } from '@device-metrics/domain';
import { glances, isGlances } from './glances.js';
import { to, type Mapping } from './mapping.js';
import { isProxmox, proxmox } from './proxmox.js';
import { telegraf } from './telegraf.js';

/** What is measured in a base unit, for senders that name only the unit. */
const QUANTITIES: Readonly<Record<string, string>> = {
  '1': 'ratio',
  A: 'current',
  'bit/s': 'bit_rate',
  By: 'size',
  'By/s': 'data_rate',
  Cel: 'temperature',
  g: 'mass',
  Hz: 'frequency',
  J: 'energy',
  m: 'distance',
  Pa: 'pressure',
  s: 'duration',
  V: 'voltage',
  VA: 'apparent_power',
  W: 'power',
};

/**
 * Home Assistant calls a measurement by the unit of the entity, or by the entity where it has none. It may be told (`measurement_attr`) to
 * call all by the entity, or by its domain and what it measures, as in `sensor__temperature`: the unit is not known then.
 */
function homeAssistant(measurement: string, tags: Labels): Mapping {
  const tagMapping = { entity_id: 'entity_id', domain: 'domain' };
  const { domain, entity_id: entity } = tags;
  const isUnit =
    ![domain, `${domain}.${entity}`, 'state'].includes(measurement) && !measurement.startsWith(`${domain}__`);
  if (!isUnit) {
    return { tags: tagMapping, fields: { value: to('homeassistant.value') } };
  }
  const conversion = convertibleUnits.includes(measurement)
    ? toBaseUnit(measurement)
    : { unit: measurement, factor: 1, offset: 0 };
  const metric = `homeassistant.${QUANTITIES[conversion.unit] ?? 'value'}`;
  return { tags: tagMapping, fields: { value: { metric, conversion } } };
}

/** What is known of lines with these names; undefined where nothing is. */
export function mappingOf(measurement: string, tags: Labels): Mapping | undefined {
  if (tags['entity_id'] !== undefined && tags['domain'] !== undefined) return homeAssistant(measurement, tags);
  if (isProxmox(tags)) return proxmox(measurement, tags);
  const known = isGlances(tags) ? glances : telegraf;
  return Object.hasOwn(known, measurement) ? known[measurement] : undefined;
}
