import { metricDefinition, NamedSeries, toMetricName, type Labels } from '@device-metrics/domain';
import type { FieldMeaning, LineMeaning } from '@device-metrics/formats';
import type { Mapping } from './mapping.js';
import { mappingOf } from './senders.js';
import { unitNamed } from './unit-named.js';

/** How names of lines become those of devices and metrics. */
export interface Naming {
  /** Tags whose value is the device; the first one that a line has. */
  readonly deviceTags: readonly string[];
  /** `as-sent`: measurement, field and tags stay what they are. */
  readonly names: string;
}

/** A value and its limits, of which the text of the field `unit` says the unit: Icinga and Glances have such lines. */
const OF_ONE_UNIT: ReadonlySet<string> = new Set(['value', 'warn', 'crit', 'min', 'max']);

/** @param database what names the device of lines that have none of the tags. */
export function lineMeaning({ deviceTags, names }: Naming, database: string): LineMeaning<NamedSeries> {
  return (measurement, tags, unitText) => {
    const deviceTag = deviceTags.find((tag) => tags[tag] !== undefined);
    const deviceName = deviceTag === undefined ? database : tags[deviceTag];
    const mapping = names === 'as-sent' ? undefined : mappingOf(measurement, tags);
    const labels = Object.freeze(labelsOf(tags, deviceTag, mapping));
    const unitOfValue = unitText === undefined ? undefined : unitNamed(unitText);
    return (field) => {
      const { metric, unit, conversion, added, renamed } = fieldOf(measurement, field, mapping, labels);
      const said = unit ?? (OF_ONE_UNIT.has(field) ? unitOfValue : undefined);
      const ownLabels = added || renamed ? Object.freeze({ ...withNames(labels, renamed), ...added }) : labels;
      const series = NamedSeries.of({ deviceName, metricName: metric, unit: said, labels: ownLabels });
      return { series, conversion };
    };
  };
}

function labelsOf(tags: Labels, deviceTag: string | undefined, mapping: Mapping | undefined): Labels {
  const pairs = Object.entries(tags).flatMap(([tag, value]) => {
    if (tag === deviceTag) return [];
    const label = mapping && Object.hasOwn(mapping.tags, tag) ? mapping.tags[tag] : tag;
    return typeof label === 'function' ? Object.entries(label(value)) : [[label ?? tag, value] as const];
  });
  return Object.fromEntries(pairs);
}

interface NamedField extends Pick<FieldMeaning<NamedSeries>, 'conversion'> {
  readonly metric: string;
  readonly unit: string | undefined;
  readonly added?: Labels | undefined;
  readonly renamed?: Readonly<Record<string, string>> | undefined;
}

/** A field is `<measurement>.<field>`, and the field `value` just the measurement, as the collector names them. */
function fieldOf(measurement: string, field: string, mapping: Mapping | undefined, labels: Labels): NamedField {
  const known = mapping && Object.hasOwn(mapping.fields, field) ? mapping.fields[field] : undefined;
  if (known) {
    const { metric, conversion, labels: added, renamed } = known;
    const isPlain = conversion?.factor === 1 && conversion.offset === 0;
    const unit = conversion?.unit ?? metricDefinition(metric)?.unit;
    return { metric, unit, conversion: isPlain ? undefined : conversion, added, renamed };
  }
  const name = field === 'value' ? measurement : `${measurement}.${field}`;
  const metric = toMetricName(name);
  // Names that become the same metric stay apart.
  const added = metric === name ? undefined : { [Object.hasOwn(labels, 'name') ? 'sent.name' : 'name']: name };
  return { metric, unit: metricDefinition(metric)?.unit, added };
}

const withNames = (labels: Labels, names: Readonly<Record<string, string>> = {}): Labels =>
  Object.fromEntries(Object.entries(labels).map(([label, value]) => [names[label] ?? label, value]));
