import { metricDefinition } from '@device-metrics/domain';
import { formatterOf, type Formatter } from '../../units.js';
import { textsAt, valueAt, type Document } from '../../data/alert-document.js';

/** The conditions that the form of a rule knows, and their words. */
export const CONDITIONS = {
  above: 'is above a level',
  below: 'is below a level',
  outside: 'is outside a band',
  equals: 'equals a value',
  change: 'has changed against the period before',
  full: 'will be full within a time',
  switched: 'has switched a label',
  device: 'device is silent',
  clock: 'clock of the device is wrong',
  server: 'this server',
} as const;
export type ConditionKind = keyof typeof CONDITIONS;

/** Conditions that are not of a metric. */
export const OF_NO_METRIC: ReadonlySet<string> = new Set(['device', 'clock', 'server']);

export function conditionKind(document: Document): ConditionKind {
  const type = valueAt(document, 'condition.type');
  if (typeof type === 'string' && type !== 'level' && type in CONDITIONS) return type as ConditionKind;
  const bound = (['outside', 'equals', 'below'] as const).find(
    (key) => valueAt(document, `condition.${key}`) !== undefined,
  );
  return bound ?? 'above';
}

/** How the values of the one metric that a rule names are written. */
export function formatOf(document: Document): Formatter {
  const [metric = '', ...others] = textsAt(document, 'select.metric');
  return formatterOf(others.length === 0 ? metricDefinition(metric)?.unit : undefined, metric);
}

/** Whom a selection of alerts or of devices means, in words. */
export function selectWords(select: Document): string {
  const words = ['severity', 'rule', 'metric', 'device', 'tag', 'label'].flatMap((key) => textsAt(select, key));
  return words.join(', ');
}

/** What a rule watches, in words. */
export function watchWords(document: Document): string {
  const kind = conditionKind(document);
  const of = selectWords((document['select'] ?? {}) as Document);
  if (kind === 'server') return 'this server';
  if (OF_NO_METRIC.has(kind)) return of || 'all devices';
  return of;
}

const MEASURES: Readonly<Record<string, string>> = { last: '', share: 'share ' };

/** When a rule is wrong, in words. */
export function conditionWords(document: Document): string {
  const of = (key: string): unknown => valueAt(document, `condition.${key}`);
  const text = (key: string, fallback: string): string => {
    const value = of(key);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : fallback;
  };
  const shown = formatOf(document);
  const format: Formatter = (value) => shown(value).replace(/\.0+(?=\D|$)/, '');
  const level = (key: string): string => format(Number(of(key)));
  const measure = text('measure', 'last');
  const subject = MEASURES[measure] ?? `${measure} of ${text('window', '5m')} `;
  switch (conditionKind(document)) {
    case 'above': {
      if (of('above') === 0.5 && measure === 'last') return 'is so';
      const own =
        of('above_metric') === undefined
          ? ''
          : `${text('above_metric', '')}${of('above') === undefined ? '' : ', else '}`;
      return `${subject}> ${own}${of('above') === undefined ? '' : level('above')}`;
    }
    case 'below':
      if (of('below') === 0.5 && measure === 'last') return 'is not so';
      return `${subject}< ${level('below')}`;
    case 'equals':
      return `${subject}= ${level('equals')}`;
    case 'outside': {
      const band = of('outside');
      const [low, high] = Array.isArray(band) ? (band as number[]) : [];
      return `${subject}outside ${format(low)} to ${format(high)}`;
    }
    case 'change': {
      const up = of('above');
      const share = Number(up ?? of('below'));
      return `${text('measure', 'mean')} of ${text('window', '1h')} ${up === undefined ? 'below' : 'above'} the one before by ${Math.round(share * 100)} %`;
    }
    case 'full':
      return `full within ${text('within', '3d')}`;
    case 'switched':
      return `${text('label', '')} from ${text('from', '')} to ${text('to', '')}`;
    case 'device':
      return text('status', 'offline');
    case 'clock':
      return `clock wrong by ${text('above', '1m')}`;
    case 'server':
      return (
        {
          damaged: 'data damaged',
          refused: 'samples refused',
          disk: `disk > ${Math.round(Number(of('above') ?? 0) * 100)} %`,
        }[text('measure', '')] ?? ''
      );
  }
}
