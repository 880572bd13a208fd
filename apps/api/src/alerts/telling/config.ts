import {
  MINUTE,
  HOUR,
  DAY,
  isTimeZone,
  matchesAny,
  quote,
  selectsDevice,
  selectsSeries,
  ZoneClock,
  type Selector,
} from '@device-metrics/domain';
import { cronTimes, type NextTime } from '../../cron-times.js';
import type { AlertState } from '../evaluation/alert-state.js';
import { ObjectReader, readAll, type Mistake } from '../reader.js';
import { readSelector } from '../rules/read-rule.js';
import { SEVERITIES, type Severity } from '../rules/rule.js';

/** Which alerts: everything that is given must match. */
export interface AlertSelector {
  readonly selector: Selector;
  readonly rules: readonly string[] | undefined;
  readonly severities: readonly Severity[] | undefined;
}

/** Who is told of which alerts, and when. Times are ms. */
export interface Route {
  readonly name: string;
  readonly order: number;
  readonly select: AlertSelector;
  readonly channels: readonly string[];
  /** `rule`, `device`, `severity`, or `tag:` and the name of a tag: alerts that are equal in all of these are one message. */
  readonly groupBy: readonly string[];
  readonly wait: number;
  /** 0: never. */
  readonly repeat: number;
  readonly escalate: { readonly after: number; readonly channels: readonly string[] } | undefined;
  /** Whether the routes after it hear of the same alerts. */
  readonly continue: boolean;
}

export interface Silence {
  readonly name: string;
  readonly select: AlertSelector;
  /** Unix milliseconds. */
  readonly until: number;
  readonly comment: string;
}

export interface Maintenance {
  readonly name: string;
  readonly select: AlertSelector;
  /** Unix milliseconds; Infinity of one that comes again. */
  readonly until: number;
  readonly isOn: (now: number) => boolean;
}

/** While the device `on` is not there, nobody is told of those behind it. */
export interface Dependency {
  readonly name: string;
  readonly devices: Selector;
  readonly on: string;
}

/** What is there while nobody has set up a route. */
export const DEFAULT_ROUTE = (channels: readonly string[]): Route => ({
  name: 'default',
  order: 0,
  select: { selector: {}, rules: undefined, severities: undefined },
  channels,
  groupBy: ['rule', 'severity'],
  wait: 30_000,
  repeat: 4 * HOUR,
  escalate: undefined,
  continue: false,
});

const channelNames = (reader: ObjectReader, key: string): string[] => {
  const names = reader.texts(key, 'names of channels', () => true);
  if (names === undefined) reader.note(key, 'must name the channels, got nothing');
  return names ?? [];
};
const GROUPS = /^(rule|device|severity|tag:.+)$/;

export const readRoute = (document: unknown): Route =>
  readDocument(document, (reader) => {
    const usual = DEFAULT_ROUTE([]);
    const escalate = reader.inner('escalate');
    const route: Route = {
      name: reader.name('name'),
      order: reader.integer('order', 100, 0, 100_000),
      select: readAlertSelector(reader.inner('select')),
      channels: channelNames(reader, 'channels'),
      groupBy:
        reader.texts('group_by', 'rule, device, severity or tag:<name>', (text) => GROUPS.test(text)) ?? usual.groupBy,
      wait: reader.duration('wait', usual.wait, 0, 60 * MINUTE),
      repeat: reader.duration('repeat', usual.repeat, 0),
      escalate: reader.has('escalate')
        ? { after: escalate.duration('after', undefined), channels: channelNames(escalate, 'channels') }
        : undefined,
      continue: reader.flag('continue', false),
    };
    escalate.end();
    return route;
  });

/** `rule`, `severity`, `device`, `metric`, `label`, `tag`. */
function readAlertSelector(reader: ObjectReader): AlertSelector {
  const rules = reader.texts('rule', 'names of rules', () => true);
  const severities = reader.texts('severity', `one of ${SEVERITIES.join(', ')}`, (text) =>
    SEVERITIES.some((one) => one === text),
  );
  return { selector: readSelector(reader), rules, severities: severities as Severity[] | undefined };
}

/** @param now for `for`, Unix ms. */
export const readSilence = (document: unknown, now: number): Silence =>
  readDocument(document, (reader) => {
    const name = reader.name('name');
    const select = readAlertSelector(reader.inner('select'));
    const comment = reader.has('comment') ? reader.text('comment', undefined, 1_000) : '';
    reader.value('by');
    const until = reader.has('for') ? now + reader.duration('for', 0, MINUTE) : reader.time('until');
    return { name, select, until, comment };
  });

/** Once from a time until another (or `for` so long from now), weekly, or by a cron expression. */
export const readMaintenance = (document: unknown, now: number): Maintenance =>
  readDocument(document, (reader) => {
    const name = reader.name('name');
    const select = readAlertSelector(reader.inner('select'));
    if (reader.has('comment')) reader.text('comment', undefined, 1_000);
    reader.value('by');
    if (!reader.has('cron') && !reader.has('weekly')) {
      const from = reader.has('from') ? reader.time('from') : now;
      const until = reader.has('for') ? from + reader.duration('for', 0, MINUTE) : reader.time('until');
      if (from >= until && until > 0) reader.note('until', 'must be after the beginning');
      return { name, select, until, isOn: (at) => at >= from && at < until };
    }
    const duration = reader.duration('duration', undefined, MINUTE, 7 * 24 * HOUR);
    const named = reader.text('timezone', 'UTC');
    const isZone = typeof named === 'string' && isTimeZone(named);
    if (!isZone) reader.note('timezone', `must be an IANA time zone such as Europe/Berlin, got ${quote(named)}`);
    const zone = isZone ? named : 'UTC';
    const next = reader.has('cron') ? cronBeginnings(reader, zone) : weeklyBeginnings(reader, zone);
    return { name, select, until: Infinity, isOn: recurring(next, duration) };
  });

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** `{days: [sat], at: "22:00"}`: where clocks are set, the first time that the clock shows it, or leaps over it. */
function weeklyBeginnings(reader: ObjectReader, zone: string): NextTime {
  const weekly = reader.inner('weekly');
  const days = weekly.texts('days', `days of ${DAYS.join(', ')}`, (day) => DAYS.includes(day)) ?? DAYS;
  const at = weekly.text('at', undefined);
  weekly.end();
  const time = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(String(at));
  if (!time) weekly.note('at', `must be a time of day such as 22:00, got ${quote(at)}`);
  const ofDay = Number(time?.[1] ?? 0) * HOUR + Number(time?.[2] ?? 0) * MINUTE;
  const clock = new ZoneClock(zone);
  return (after) => {
    // The dates of the clock from the day before on.
    for (let date = Math.floor(clock.wallTime(after) / DAY) - 1; ; date += 1) {
      if (!days.includes(DAYS[new Date(date * DAY).getUTCDay()] as string)) continue;
      const beginning = clock.atWall(date * DAY + ofDay);
      if (beginning > after) return beginning;
    }
  };
}

function cronBeginnings(reader: ObjectReader, zone: string): NextTime {
  const cron = reader.text('cron', undefined);
  try {
    return cronTimes(cron, zone);
  } catch (error) {
    // Behind its first line the library asks for a report of what it takes for its own fault, as of 30 February.
    const [reason] = (error as Error).message.replace('Something went wrong. ', '').split('\n');
    reader.note('cron', `must be a cron expression such as "0 22 * * 6", got ${quote(cron)}: ${reason}`);
    return () => Infinity;
  }
}

/** On for `duration` after each beginning. */
function recurring(next: NextTime, duration: number): (now: number) => boolean {
  // To find the next one costs up to a millisecond, and each alert asks at each look: what is known holds until a change is due.
  let known = { from: 0, until: 0, isOn: false };
  return (now) => {
    if (now >= known.from && now < known.until) return known.isOn;
    const begin = next(now - duration);
    const isOn = begin <= now;
    known = { from: now, until: isOn ? begin + duration : begin, isOn };
    return isOn;
  };
}

export const readDependency = (document: unknown): Dependency =>
  readDocument(document, (reader) => ({
    name: reader.name('name'),
    devices: readSelector(reader.inner('devices'), false),
    on: reader.text('on', undefined, 128),
  }));

function readDocument<T>(document: unknown, read: (reader: ObjectReader) => T): T {
  return readAll((mistakes: Mistake[]) => {
    const reader = new ObjectReader(document, '', mistakes);
    const result = read(reader);
    reader.end();
    return result;
  });
}

/** Whether an alert is one of those that are meant. */
export function selectsAlert({
  selector,
  rules,
  severities,
}: AlertSelector): (alert: AlertState, tags: Tags) => boolean {
  const ofSeries = selectsSeries(selector);
  const ofDevice = selectsDevice({ devices: selector.devices, tags: selector.tags });
  const named = matchesAny(rules);
  const bySeries = selector.metrics !== undefined || selector.labels !== undefined;
  return ({ rule, subject: { device, metric, labels }, episode }, tagsOf) =>
    named(rule) &&
    (severities === undefined || (episode !== null && severities.includes(episode.severity))) &&
    ofDevice({ name: device, tags: tagsOf(device) }) &&
    (!bySeries || (metric !== undefined && ofSeries({ deviceName: device, metricName: metric, labels: labels ?? {} })));
}

/** The tags of a device. */
export type Tags = (device: string) => Readonly<Record<string, string>>;
