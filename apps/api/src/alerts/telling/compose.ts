import { HOUR, visible, type TimeRange } from '@device-metrics/domain';
import { LocalTime } from '../../reporting/print/local-time.js';
import { markup, type Markup } from '../../reporting/print/markup.js';
import type { Links, Message, MessageAlert } from '../notify/channel.js';
import { SEVERITIES, type Rule, type Severity } from '../rules/rule.js';
import { LINK_AGE, type LinkAction, type LinkSigner } from './links.js';
import type { Notice, NoticeItem } from './tell.js';
import { render } from './templates.js';
import { subjectWords, summaryWords } from './words.js';

/** What a message needs to know besides the alerts. */
export interface Surroundings {
  readonly rule: (name: string) => Rule | undefined;
  /** What people call a device. */
  readonly nameOf: (device: string) => string;
  readonly tags: (device: string) => Readonly<Record<string, string>>;
  /** Without a slash at the end; undefined where nobody has said. */
  readonly publicUrl: string | undefined;
  readonly signer: LinkSigner;
  readonly timeZone: string;
  readonly chart: (item: NoticeItem, range: TimeRange) => Promise<string | undefined>;
}

/** Of many alerts so many are spelled out. */
const SHOWN = 20;

/** A notice in words. */
export async function compose(given: Notice, key: string, world: Surroundings): Promise<Message> {
  const notice = { ...given, firing: inOrder(given.firing, world), ended: inOrder(given.ended, world) };
  const alerts = [...notice.firing, ...notice.ended].map((item) => alertOf(item, world, notice.kind === 'test'));
  const firing = alerts.slice(0, notice.firing.length);
  const ended = alerts.slice(notice.firing.length);
  const severity = worst(notice.firing.length > 0 ? notice.firing : notice.ended);
  const status = firing.length > 0 ? 'firing' : 'resolved';
  const local = new LocalTime(world.timeZone);
  const links = linksOf(notice, key, alerts, world);
  const [first] = [...notice.firing, ...notice.ended];
  const around = first && { start: first.began - HOUR, end: Math.max(notice.at, first.began + 60_000) };
  return {
    key,
    status,
    severity,
    title: titleOf(notice, firing, ended, severity),
    text: textOf(firing, ended, links, local),
    html: htmlOf(firing, ended, links, local).text,
    links,
    chart: first && around ? await world.chart(first, around) : undefined,
    notice,
    alerts,
  };
}

const natural = new Intl.Collator('en', { numeric: true });

/** By what they are of, as people count: `lab-pc-2` before `lab-pc-10`. */
const inOrder = (items: readonly NoticeItem[], { nameOf }: Surroundings): readonly NoticeItem[] =>
  items
    .map((item) => ({ item, words: subjectWords(item.subject, nameOf) }))
    .sort((a, b) => natural.compare(a.words, b.words))
    .map(({ item }) => item);

const worst = (items: readonly NoticeItem[]): Severity =>
  SEVERITIES[items.reduce((worst, { severity }) => Math.max(worst, SEVERITIES.indexOf(severity)), 0)] ?? 'info';

function alertOf(item: NoticeItem, world: Surroundings, isTest: boolean): MessageAlert {
  const { id, severity, subject, value, level, began, ended } = item;
  const rule = world.rule(item.rule);
  const tags = subject.device === '' ? {} : world.tags(subject.device);
  const metric = rule && watchesSeveral(rule) ? subject.metric : undefined;
  const labels = { ...tags, ...rule?.labels, ...subject.labels, ...(metric !== undefined && { metric }) };
  const about = subjectWords(subject, world.nameOf) + (metric === undefined ? '' : `, ${metric}`);
  const summary = isTest ? 'messages of this channel arrive' : `${about}: ${summaryWords(rule, subject, value, level)}`;
  const values = {
    device: subject.device,
    metric: subject.metric,
    labels,
    tags,
    value,
    level,
    severity,
    rule: item.rule,
    summary,
  };
  return {
    id,
    rule: item.rule,
    severity,
    device: subject.device,
    labels,
    summary,
    text: rule === undefined ? '' : visible(render(rule.text, values)),
    began,
    ended,
    url: chartUrl(item, world),
  };
}

/** Whether an alert of the rule has to say which metric it is of. */
const watchesSeveral = ({ selector: { metrics = [] } }: Rule): boolean =>
  metrics.length > 1 || metrics.some((one) => typeof one !== 'string');

function chartUrl({ subject, began, ended }: NoticeItem, { publicUrl }: Surroundings): string | undefined {
  if (publicUrl === undefined) return undefined;
  if (subject.device === '') return `${publicUrl}/alerts`;
  const [start, end] = [began - HOUR, (ended ?? began) + HOUR].map((time) => new Date(time).toISOString());
  return `${publicUrl}/devices/${encodeURIComponent(subject.device)}?start=${start}&end=${end}`;
}

function linksOf(
  notice: Notice,
  message: string,
  alerts: readonly MessageAlert[],
  { publicUrl, signer }: Surroundings,
): Links {
  if (publicUrl === undefined) return { chart: undefined, acknowledge: undefined, silence: undefined };
  const link = (action: LinkAction): string | undefined =>
    notice.firing.length === 0
      ? undefined
      : `${publicUrl}/api/v1/alerts/act/${signer.token({ action, message, expires: notice.at + LINK_AGE })}`;
  return { chart: alerts[0]?.url, acknowledge: link('acknowledge'), silence: link('silence') };
}

function titleOf(
  { kind }: Notice,
  firing: readonly MessageAlert[],
  ended: readonly MessageAlert[],
  severity: Severity,
): string {
  const about = firing.length > 0 ? firing : ended;
  const rules = [...new Set(about.map(({ rule }) => rule))];
  const what = rules.length === 1 ? rules[0] : `${rules.length} rules`;
  const where = about.length === 1 ? about[0]?.summary : `${about.length} alerts`;
  const word = firing.length > 0 ? severity.toUpperCase() : 'RESOLVED';
  const note = { news: '', repeat: ' (still)', escalation: ' (not acknowledged)', test: ' (test)' }[kind];
  return `${word}${note}: ${what} – ${where}`.replace(/\s+/g, ' ');
}

function lineOf({ summary, began, ended }: MessageAlert, local: LocalTime): string {
  const since = `since ${local.dateAndTime(began)}`;
  return ended === null ? `${summary}, ${since}` : `${summary}, ${since}, until ${local.dateAndTime(ended)}`;
}

function textOf(
  firing: readonly MessageAlert[],
  ended: readonly MessageAlert[],
  links: Links,
  local: LocalTime,
): string {
  const listed = (alerts: readonly MessageAlert[]): string[] => [
    ...alerts.slice(0, SHOWN).map((alert) => `• ${lineOf(alert, local)}`),
    ...(alerts.length > SHOWN ? [`… and ${alerts.length - SHOWN} more`] : []),
  ];
  const advice = [...new Set(firing.slice(0, SHOWN).map(({ text }) => text))].filter((text) => text !== '').slice(0, 3);
  const parts = [
    listed(firing).join('\n'),
    advice.join('\n'),
    ended.length > 0 ? ['Over:', ...listed(ended)].join('\n') : '',
    [
      links.chart && `Chart: ${links.chart}`,
      links.acknowledge && `Acknowledge: ${links.acknowledge}`,
      links.silence && `Silence: ${links.silence}`,
      `Times in ${local.timeZone}.`,
    ]
      .filter(Boolean)
      .join('\n'),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

function htmlOf(
  firing: readonly MessageAlert[],
  ended: readonly MessageAlert[],
  links: Links,
  local: LocalTime,
): Markup {
  const listed = (alerts: readonly MessageAlert[]): Markup => {
    const rows = alerts.slice(0, SHOWN).map((alert) => {
      const line = lineOf(alert, local);
      const advice = alert.text === '' || alert.ended !== null ? markup`` : markup`<br><small>${alert.text}</small>`;
      return alert.url
        ? markup`<li><a href="${alert.url}">${line}</a>${advice}</li>`
        : markup`<li>${line}${advice}</li>`;
    });
    const more = alerts.length > SHOWN ? markup`<li>… and ${alerts.length - SHOWN} more</li>` : markup``;
    return alerts.length === 0 ? markup`` : markup`<ul>${rows}${more}</ul>`;
  };
  const named: [string, string | undefined][] = [
    ['Acknowledge', links.acknowledge],
    ['Silence', links.silence],
  ];
  const actions = named.flatMap(([label, url]) => (url ? [markup`<a href="${url}">${label}</a> `] : []));
  const over = ended.length > 0 ? markup`<p>Over:</p>${listed(ended)}` : markup``;
  return markup`<div style="font-family:sans-serif">${listed(firing)}${over}<p>${actions}</p><p><small>Times in ${local.timeZone}.</small></p></div>`;
}
