import { createHash } from 'node:crypto';
import { inSlices, selectsDevice } from '@device-metrics/domain';
import type { AlertMessage } from '@device-metrics/storage';
import type { AlertState, Episode, Told } from '../evaluation/alert-state.js';
import type { Changes } from '../evaluation/states.js';
import {
  DEFAULT_ROUTE,
  selectsAlert,
  type Dependency,
  type Maintenance,
  type Route,
  type Silence,
  type Tags,
} from './config.js';

/** What decides who is told of what. */
export interface TellingRules {
  readonly routes: readonly Route[];
  readonly channels: ReadonlySet<string>;
  readonly silences: readonly Silence[];
  readonly maintenance: readonly Maintenance[];
  readonly dependencies: readonly Dependency[];
  readonly tags: Tags;
  /** Whether a device that others hang on is not there. */
  readonly isAway: (device: string) => boolean;
}

/** One alert in a message. */
export interface NoticeItem {
  readonly id: string;
  readonly rule: string;
  readonly severity: Episode['severity'];
  readonly subject: AlertState['subject'];
  readonly value: number | null;
  readonly level: number | null;
  readonly began: number;
  readonly ended: number | null;
}

/** What a channel is to say; how, it finds out when it is sent. */
export interface Notice {
  readonly kind: 'news' | 'repeat' | 'escalation' | 'test';
  readonly route: string;
  /** The same for messages of one group. */
  readonly group: string;
  readonly at: number;
  readonly firing: readonly NoticeItem[];
  readonly ended: readonly NoticeItem[];
  /** Of a message of one receiver of a channel: who that is, and the key of the message that the others have. */
  readonly only?: { readonly receiver: string; readonly key: string };
}

/** A message tells of so many alerts at the most, and of so many that are over; what is more is told in others. */
const MOST_ITEMS = 1_000;

/** How long the end of an alert waits to be told at the most, ms. */
const FORGOTTEN = 2 * 3_600_000;

/** A clock that was set back makes no one wait: what seems to be so far ahead is due, ms. */
const SET_BACK = 60_000;
const hasPassed = (since: number, wait: number, now: number): boolean => now - since >= wait || since - now > SET_BACK;

/**
 * Decides what is said now of the alerts, and writes down in their states what was said: messages and states go to the
 * store in one step, the messages first, so that after a crash each has been said or not, and is never forgotten. In slices: of a large
 * fleet very many may be away.
 */
export async function tell(changes: Changes, rules: TellingRules, now: number): Promise<AlertMessage[]> {
  const alerts: AlertState[] = [];
  await inSlices(changes.all(), (state) => void (state.episode !== null && alerts.push(state)));
  const suppressed = suppression(rules, now);
  await inSlices(alerts, (alert) => noteSuppression(changes, alert, suppressed(alert), now));
  const messages: AlertMessage[] = [];
  for (const { route, members } of await groupsOf(alerts, rules)) {
    for (const message of tellGroup(changes, route, members, rules, now)) messages.push(message);
  }
  // Its route or its channels are gone: there is nobody left to hear of the end.
  await inSlices(alerts, ({ rule, subject, episode }) => {
    if (episode?.ended == null || now - episode.ended <= FORGOTTEN) return;
    const alert = changes.find(rule, subject);
    if (alert?.episode?.ended != null) changes.drop(alert);
  });
  return messages;
}

interface Group {
  readonly route: Route;
  readonly members: readonly AlertState[];
}

async function groupsOf(alerts: readonly AlertState[], { routes, tags }: TellingRules): Promise<Iterable<Group>> {
  const routing = [...routes]
    .sort((a, b) => a.order - b.order || (a.name < b.name ? -1 : 1))
    .map((route) => ({ route, selects: selectsAlert(route.select) }));
  const groups = new Map<string, Group & { readonly members: AlertState[] }>();
  const add = (key: string, route: Route, alert: AlertState): void => {
    const group = groups.get(key) ?? { route, members: [] };
    group.members.push(alert);
    groups.set(key, group);
  };
  await inSlices(alerts, (alert) => {
    const chosen = new Set<string>();
    for (const { route, selects } of routing) {
      if (!selects(alert, tags)) continue;
      chosen.add(route.name);
      add(`${route.name}\n${groupKey(route, alert, tags)}`, route, alert);
      if (!route.continue) break;
    }
    if (alert.episode?.ended == null) return;
    // Who was told by a route that is gone, or does not choose it any more, hears of the end, too.
    for (const name of Object.keys(alert.episode.told).filter((one) => !chosen.has(one))) {
      const route = { ...DEFAULT_ROUTE([]), name, repeat: 0 };
      add(`gone\n${name}\n${groupKey(route, alert, tags)}`, route, alert);
    }
  });
  return groups.values();
}

function groupKey({ groupBy }: Route, { rule, subject: { device }, episode }: AlertState, tags: Tags): string {
  const part = (by: string): string => {
    if (by === 'rule') return rule;
    if (by === 'device') return device;
    if (by === 'severity') return episode?.severity ?? '';
    const [tag, its] = [by.slice('tag:'.length), tags(device)];
    return Object.hasOwn(its, tag) ? (its[tag] ?? '') : '';
  };
  return groupBy.map((by) => `${by}=${part(by)}`).join(', ');
}

function tellGroup(
  changes: Changes,
  route: Route,
  members: readonly AlertState[],
  rules: TellingRules,
  now: number,
): AlertMessage[] {
  const current = members.flatMap(({ rule, subject }) => changes.find(rule, subject) ?? []);
  const firing = current.filter(({ episode }) => episode?.ended === null && episode.suppressed === null);
  const untold = firing.filter((alert) => toldOf(alert, route) === undefined);
  const ended = current.filter((alert) => alert.episode?.ended != null && toldOf(alert, route) !== undefined);
  const since = [
    ...untold.map(({ episode }) => episode?.began ?? now),
    ...ended.map(({ episode }) => episode?.ended ?? now),
  ];
  const hasNews = since.some((time) => hasPassed(time, route.wait, now));
  const unheeded = firing.filter(({ episode }) => episode?.acknowledged === null);
  const isRepeat =
    route.repeat > 0 && unheeded.some((alert) => hasPassed(toldOf(alert, route)?.at ?? now, route.repeat, now));
  const group = `${route.name}: ${groupKey(route, current[0] as AlertState, rules.tags)}`;
  const messages: AlertMessage[] = [];
  const send = (
    kind: Notice['kind'],
    channel: string,
    its: readonly AlertState[],
    gone: readonly AlertState[],
  ): void => {
    for (let from = 0; from < Math.max(its.length, gone.length); from += MOST_ITEMS) {
      const [firing, ended] = [its, gone].map((all) => all.slice(from, from + MOST_ITEMS)) as [
        AlertState[],
        AlertState[],
      ];
      const notice = { kind, route: route.name, group, at: now, firing: firing.map(itemOf), ended: ended.map(itemOf) };
      messages.push({ key: keyOf(notice, channel, route, [...firing, ...ended]), channel, body: notice });
    }
  };
  if (hasNews || isRepeat) {
    const known = route.channels.filter((channel) => rules.channels.has(channel));
    // Of the end hears everyone who heard of the beginning.
    const heard = new Set(ended.flatMap((alert) => toldOf(alert, route)?.channels ?? []));
    for (const channel of new Set([...known, ...heard])) {
      if (!rules.channels.has(channel)) continue;
      const itsEnded = ended.filter((alert) => toldOf(alert, route)?.channels.includes(channel));
      const its = known.includes(channel) ? firing : [];
      if (its.length + itsEnded.length > 0) send(hasNews ? 'news' : 'repeat', channel, its, itsEnded);
    }
    // Where there is no channel yet nobody has been told.
    if (known.length > 0) for (const alert of firing) mark(changes, alert, route, { at: now, channels: known });
    for (const alert of ended) unmark(changes, alert, route);
  }
  const { escalate } = route;
  const unanswered = escalate
    ? unheeded.filter(({ rule, subject }) => {
        const alert = changes.find(rule, subject);
        const told = alert && toldOf(alert, route);
        return told && !told.escalated && hasPassed(alert.episode?.began ?? now, escalate.after, now);
      })
    : [];
  if (escalate && unanswered.length > 0) {
    const known = escalate.channels.filter((channel) => rules.channels.has(channel));
    for (const channel of known) send('escalation', channel, unanswered, []);
    if (known.length > 0)
      for (const alert of unanswered) mark(changes, alert, route, { channels: known, escalated: true });
  }
  return messages;
}

const toldOf = ({ episode }: AlertState, { name }: Route): Told | undefined =>
  episode && Object.hasOwn(episode.told, name) ? episode.told[name] : undefined;

function mark(
  changes: Changes,
  { rule, subject }: AlertState,
  route: Route,
  more: { readonly at?: number; readonly channels: readonly string[]; readonly escalated?: boolean },
): void {
  const alert = changes.find(rule, subject);
  if (!alert?.episode) return;
  const before = toldOf(alert, route);
  const told: Told = {
    at: more.at ?? before?.at ?? 0,
    channels: [...new Set([...(before?.channels ?? []), ...more.channels])],
    times: (before?.times ?? 0) + 1,
    escalated: more.escalated ?? before?.escalated ?? false,
  };
  changes.put({ ...alert, episode: { ...alert.episode, told: { ...alert.episode.told, [route.name]: told } } });
}

function unmark(changes: Changes, { rule, subject }: AlertState, route: Route): void {
  const alert = changes.find(rule, subject);
  if (!alert?.episode) return;
  const told = Object.fromEntries(Object.entries(alert.episode.told).filter(([name]) => name !== route.name));
  if (Object.keys(told).length > 0) changes.put({ ...alert, episode: { ...alert.episode, told } });
  else if (alert.phase === 'normal' && alert.blind === null) changes.drop(alert);
  else changes.put({ ...alert, episode: null });
}

function itemOf({ rule, subject, value, episode }: AlertState): NoticeItem {
  const { id = '', severity = 'info', level = null, began = 0, ended = null } = episode ?? {};
  return { id, rule, severity, subject, value, level, began, ended };
}

/** The same for a message that says the same: it is written once, whatever happens in between. */
function keyOf({ kind, group }: Notice, channel: string, route: Route, alerts: readonly AlertState[]): string {
  const said = alerts.map((alert) => {
    const { id, ended, began } = alert.episode as Episode;
    return `${id} ${ended ?? began} ${toldOf(alert, route)?.times ?? 0}`;
  });
  return createHash('sha256')
    .update(JSON.stringify([kind, group, channel, said.sort()]))
    .digest('base64url');
}

/** Why nobody is told of an alert; undefined where people are. */
function suppression(rules: TellingRules, now: number): (alert: AlertState) => string | undefined {
  const { tags } = rules;
  const silences = rules.silences
    .filter(({ until }) => until > now)
    .map(({ name, select }) => ({ reason: `silence ${name}`, selects: selectsAlert(select) }));
  const windows = rules.maintenance
    .filter(({ isOn }) => isOn(now))
    .map(({ name, select }) => ({ reason: `maintenance ${name}`, selects: selectsAlert(select) }));
  const away = awayReasons(rules);
  const reasons = [...silences, ...windows, ...away];
  return (alert) => reasons.find(({ selects }) => selects(alert, tags))?.reason;
}

interface Reason {
  readonly reason: string;
  readonly selects: (alert: AlertState) => boolean;
}

/** A device that hangs, over others, on one that hangs on it in turn, is told of: else of a circle nobody heard. */
function awayReasons({ dependencies, isAway, tags }: TellingRules): Reason[] {
  const links = dependencies.map(({ on, devices }) => {
    const selects = selectsDevice(devices);
    return { on, isBehind: (device: string) => device !== on && selects({ name: device, tags: tags(device) }) };
  });
  // What each device hangs on, over all that is between.
  const above = (device: string, found = new Set<string>()): Set<string> => {
    for (const { on, isBehind } of links) {
      if (found.has(on) || !isBehind(device)) continue;
      found.add(on);
      above(on, found);
    }
    return found;
  };
  return links
    .filter(({ on }) => isAway(on))
    .map(({ on, isBehind }) => {
      const aboveIt = above(on);
      return {
        reason: `${on} is away`,
        selects: ({ subject: { device } }) => isBehind(device) && !aboveIt.has(device),
      };
    });
}

function noteSuppression(changes: Changes, alert: AlertState, reason: string | undefined, now: number): void {
  const { episode } = alert;
  if (!episode || episode.ended !== null || episode.suppressed === (reason ?? null)) return;
  changes.put({ ...alert, episode: { ...episode, suppressed: reason ?? null } });
  changes.note(now, alert, {
    from: alert.phase,
    to: alert.phase,
    subject: alert.subject,
    severity: episode.severity,
    value: alert.value,
    level: episode.level,
    episode: episode.id,
    note: reason === undefined ? 'told again' : `not told: ${reason}`,
  });
}
