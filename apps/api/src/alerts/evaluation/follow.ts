import { randomUUID } from 'node:crypto';
import { levelOf } from '../rules/read-rule.js';
import type { Rule } from '../rules/rule.js';
import type { AlertState, Episode } from './alert-state.js';
import type { RuleOfDevice } from './judge.js';
import { advance, isFiring, NORMAL, stateName, type Observation } from './state-machine.js';
import type { Changes } from './states.js';
import { subjectKey, type Subject } from './subject.js';

/** Takes one look at a subject into its state, its history and its episode. */
export function follow(
  changes: Changes,
  rule: Rule,
  ofDevice: RuleOfDevice,
  subject: Subject,
  observation: Observation,
): void {
  const before = changes.get(rule.name, subjectKey(subject));
  // As nearly everything is, at nearly every look.
  if (before === undefined && observation.verdict === 'right') return;
  const progress = before ?? NORMAL;
  const after = advance(progress, observation, ofDevice.timing);
  if (before === undefined && stateName(after) === 'normal') return;
  const episode = episodeAfter(before?.episode ?? null, rule, ofDevice, isFiring(after), observation);
  const state: AlertState = { ...after, rule: rule.name, subject, episode };
  const [from, to] = [stateName(progress), stateName(after)];
  if (from !== to) {
    const { level = null } = episode ?? {};
    changes.note(observation.at, state, {
      from,
      to,
      subject,
      severity: rule.severity,
      value: observation.value,
      level,
      episode: episode?.id ?? null,
      note: observation.reason ?? null,
    });
  }
  // What has ended stays until those who were told of it have heard so.
  if (to === 'normal' && !isTold(episode)) changes.drop(state, observation.at);
  else changes.put(state, from !== to || progress.phase !== after.phase || episode !== (before?.episode ?? null));
}

/** Ends what a rule said that is no more, or no longer for this subject. */
export function end(changes: Changes, state: AlertState, at: number, note: string): void {
  const { episode, subject } = state;
  changes.note(at, state, {
    from: stateName(state),
    to: 'normal',
    subject,
    severity: episode?.severity ?? 'info',
    value: state.value,
    level: episode?.level ?? null,
    episode: episode?.id ?? null,
    note,
  });
  const ended: AlertState = {
    ...state,
    ...NORMAL,
    since: at,
    episode: episode && { ...episode, ended: episode.ended ?? at },
  };
  if (isTold(episode)) changes.put(ended);
  else changes.drop(ended);
}

export const isTold = (episode: Episode | null): boolean => episode !== null && Object.keys(episode.told).length > 0;

function episodeAfter(
  before: Episode | null,
  rule: Rule,
  ofDevice: RuleOfDevice,
  firing: boolean,
  { at, value }: Observation,
): Episode | null {
  if (!firing) return before && { ...before, ended: before.ended ?? at };
  if (before !== null) return before.ended === null ? before : { ...before, ended: null };
  const level = ofDevice.bounds.above ?? ofDevice.bounds.below ?? levelOf(rule.condition) ?? null;
  return {
    id: randomUUID(),
    began: at,
    ended: null,
    severity: rule.severity,
    value,
    level,
    acknowledged: null,
    suppressed: null,
    told: {},
  };
}
