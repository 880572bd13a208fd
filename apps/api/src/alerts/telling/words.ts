import { visible, type Labels } from '@device-metrics/domain';
import { quantity, unitOf } from '../../reporting/print/quantity.js';
import type { Subject } from '../evaluation/subject.js';
import type { Condition, Rule } from '../rules/rule.js';

/** The part of the labels that says what is meant, in a person's words. */
const labelWords = (labels: Labels): string =>
  Object.entries(labels)
    .filter(([name]) => !/(^|\.)(state|active_state)$/.test(name))
    .map(([name, value]) => `${wordOf(name)} ${value}`)
    .join(', ');

/** `mountpoint` of `system.filesystem.mountpoint`, `cpu` of `cpu.logical_number`. */
const wordOf = (name: string): string => {
  const parts = name.split('.');
  return (/(^|_)number$/.test(parts.at(-1) ?? '') ? parts.at(-2) : parts.at(-1)) ?? name;
};

/** As `Microscope PC, mountpoint /`. */
export function subjectWords({ device, labels }: Subject, nameOf: (device: string) => string): string {
  if (device === '') return 'this server';
  const things = labelWords(labels ?? {});
  return visible(things === '' ? nameOf(device) : `${nameOf(device)}, ${things}`);
}

/** A time span as a person says it: `12 s`, `5 min`, `3.5 h`, `2.1 d`. */
export function spanWords(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return 'never';
  const [size, unit] = (
    [
      [86_400_000, 'd'],
      [3_600_000, 'h'],
      [60_000, 'min'],
      [1_000, 's'],
    ] as const
  ).find(([size]) => milliseconds >= 2 * size) ?? [1_000, 's'];
  return `${Math.round((milliseconds / size) * 10) / 10} ${unit}`;
}

/** The number of a rule in the unit that a person reads it in. */
function valueWords(rule: Rule | undefined, { metric, unit = null }: Subject, value: number): string {
  if (rule === undefined) return quantity(value, unitOf(unit)).replace('\u00A0', ' ');
  const { condition } = rule;
  return numberWords(condition, unit, metric, value);
}

function numberWords(condition: Condition, unit: string | null, metric: string | undefined, value: number): string {
  const inUnit = (ucum: string | null, perSecond = false): string =>
    quantity(value, unitOf(ucum, perSecond)).replace('\u00A0', ' ');
  switch (condition.type) {
    case 'level':
      if (condition.measure === 'share') return inUnit('1');
      if (condition.measure === 'count') return inUnit(null);
      return inUnit(metric === undefined ? null : unit, condition.measure === 'rate');
    case 'change':
      return `${value > 0 ? '+' : ''}${inUnit('1')}`;
    case 'full':
      return `full in ${spanWords(value)}`;
    case 'device':
      return `silent for ${spanWords(value * 1000)}`;
    case 'clock':
      return `clock ${spanWords(Math.abs(value) * 1000)} ${value > 0 ? 'behind' : 'ahead'}`;
    case 'server':
      return condition.measure === 'disk' ? inUnit('1') : inUnit(null);
    case 'switched':
      return `${condition.from} became ${condition.to}`;
  }
}

/** As `93 % (level 90 %)`. */
export function summaryWords(
  rule: Rule | undefined,
  subject: Subject,
  value: number | null,
  level: number | null,
): string {
  const { condition } = rule ?? {};
  const isState = condition?.type === 'level' && subject.metric !== undefined && isOneOrZero(condition, value);
  if (value === null) return 'no data';
  if (isState) {
    const state = Object.entries(subject.labels ?? {}).find(([name]) => /(^|\.)(state|active_state)$/.test(name));
    if (state) return visible(state[1].replaceAll('_', ' '));
  }
  const said = valueWords(rule, subject, value);
  const hasLevel =
    level !== null && (condition === undefined || ['level', 'change', 'server'].includes(condition.type));
  return visible(hasLevel ? `${said} (level ${valueWords(rule, subject, level)})` : said);
}

const isOneOrZero = ({ above }: { readonly above?: number | undefined }, value: number | null): boolean =>
  above === 0.5 && (value === 0 || value === 1);
