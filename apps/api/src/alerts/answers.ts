import { toRfc3339 } from '@device-metrics/domain';
import type { StoredAlertChange, StoredAlertMessage } from '@device-metrics/storage';
import type { AlertChangeDto, AlertDto, AlertGroupDto, AlertMessageDto, FiringDto } from './alerts.dto.js';
import type { Firing } from './dry-run.js';
import type { AlertState, ChangeBody } from './evaluation/alert-state.js';
import { stateName } from './evaluation/state-machine.js';
import { levelOf } from './rules/read-rule.js';
import { SEVERITIES, type Rule } from './rules/rule.js';
import type { Notice } from './telling/tell.js';
import { channelOf } from './telling/queues.js';
import { subjectWords, summaryWords } from './telling/words.js';

const itself = (device: string): string => device;

type RuleOf = (state: AlertState) => Rule | undefined;

const severityOf = ({ episode }: AlertState, rule: Rule | undefined): string =>
  episode?.severity ?? rule?.severity ?? 'info';
const beganOf = ({ episode, since }: AlertState): number => episode?.began ?? since;

/** The most severe first, then the newest. */
export function worstFirst(states: readonly AlertState[], ruleOf: RuleOf): AlertState[] {
  const rank = new Map(
    states.map((state) => [state, SEVERITIES.findIndex((one) => one === severityOf(state, ruleOf(state)))]),
  );
  return [...states].sort((a, b) => (rank.get(b) ?? 0) - (rank.get(a) ?? 0) || beganOf(b) - beganOf(a));
}

/** How many there are, by rule, state and severity. */
export function groupsOf(states: readonly AlertState[], ruleOf: RuleOf): AlertGroupDto[] {
  const groups = new Map<string, AlertGroupDto>();
  for (const one of states) {
    const [state, severity] = [stateName(one), severityOf(one, ruleOf(one))];
    const key = `${state} ${severity} ${one.rule}`;
    const group = groups.get(key) ?? { rule: one.rule, state, severity, count: 0 };
    group.count += 1;
    groups.set(key, group);
  }
  return [...groups.values()];
}

export function alertDto(state: AlertState, rule: Rule | undefined): AlertDto {
  const { episode, subject, value, reason } = state;
  const level = episode?.level ?? (rule ? (levelOf(rule.condition) ?? null) : null);
  const words = reason ?? summaryWords(rule, subject, value, level);
  return {
    id: episode?.id ?? '',
    rule: state.rule,
    severity: severityOf(state, rule),
    state: stateName(state),
    device_name: subject.device,
    metric_name: subject.metric ?? null,
    labels: { ...subject.labels },
    summary: `${subjectWords(subject, itself)}: ${words}`,
    value,
    level,
    since: toRfc3339(beganOf(state)),
    suppressed: episode?.suppressed ?? null,
    acknowledged_by: episode?.acknowledged?.by ?? null,
    comment: episode?.acknowledged?.comment ?? null,
    told: [...new Set(Object.values(episode?.told ?? {}).flatMap(({ channels }) => channels))],
  };
}

export function changeDto({ id, at, rule: name, body }: StoredAlertChange, rule: Rule | undefined): AlertChangeDto {
  const { from, to, subject, severity, value, level, note } = body as ChangeBody;
  return {
    id,
    time: toRfc3339(at),
    rule: name,
    severity,
    device_name: subject.device,
    metric_name: subject.metric ?? null,
    labels: { ...subject.labels },
    from,
    to,
    summary: `${subjectWords(subject, itself)}: ${summaryWords(rule, subject, value, level)}`,
    value,
    level,
    note,
  };
}

export function firingDto({ subject, began, ended, value }: Firing, rule: Rule, now: number): FiringDto {
  const { condition } = rule;
  const level = levelOf(condition) ?? null;
  // The number of a device is the seconds of its silence.
  const shown = condition.type === 'device' ? value / 1000 : value;
  return {
    device_name: subject.device,
    metric_name: subject.metric ?? null,
    labels: { ...subject.labels },
    began: toRfc3339(began),
    ended: ended === null ? null : toRfc3339(ended),
    duration: (ended ?? now) - began,
    summary: `${subjectWords(subject, itself)}: ${summaryWords(rule, subject, shown, level)}`,
  };
}

export function messageDto(message: StoredAlertMessage): AlertMessageDto {
  const { group, firing, ended } = message.body as Notice;
  const { id, channel, state, createdAt, sentAt, attempts, error } = message;
  return {
    id,
    channel: channelOf(channel),
    state,
    created: toRfc3339(createdAt),
    sent: sentAt === null ? null : toRfc3339(sentAt),
    attempts,
    error,
    group,
    alerts: firing.length + ended.length,
  };
}
