import { Slices, type TimeRange } from '@device-metrics/domain';
import type { Store } from '@device-metrics/storage';
import type { DeviceRhythms } from '../devices/device-rhythms.js';
import { deadlines } from '../devices/rhythm.js';
import { judge, ruleOfDevice } from './evaluation/judge.js';
import { levelsOf } from './evaluation/own-levels.js';
import { pointsIn, replay, type Points } from './evaluation/replay.js';
import { advance, isFiring, NORMAL, type Timing } from './evaluation/state-machine.js';
import { subjectOfSeries, type Subject } from './evaluation/subject.js';
import { GRID } from './rules/read-rule.js';
import type { DeviceCondition, Rule } from './rules/rule.js';

/** When a rule would have fired. Times are Unix milliseconds. */
export interface Firing {
  readonly subject: Subject;
  readonly began: number;
  /** Null: it would fire still. */
  readonly ended: number | null;
  /** The number that began it. */
  readonly value: number;
}

export interface DryRun {
  /** How far apart the points are that were looked at, ms. */
  readonly step: number;
  readonly subjects: number;
  /** The earliest first. */
  readonly firings: readonly Firing[];
}

/** A rule that cannot be run over the past, and why. */
export class NoPastError extends Error {
  override readonly name = 'NoPastError';
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** So many points are looked at at the most, in each series. */
const MOST_POINTS = 20_000;

/** Runs a rule over what is stored, as if it had been there. @throws NoPastError for rules about this server. */
export async function dryRun(store: Store, rhythms: DeviceRhythms, rule: Rule, range: TimeRange): Promise<DryRun> {
  const { condition } = rule;
  if (condition.type === 'server' || condition.type === 'clock') {
    throw new NoPastError(`a ${condition.type} rule has no past to be run over: nothing is kept of that`);
  }
  const shortest = condition.type === 'full' ? HOUR : condition.type === 'device' ? MINUTE : GRID;
  const fitting = Math.ceil((range.end - range.start) / MOST_POINTS / MINUTE) * MINUTE;
  const points = pointsIn(range, range.end - range.start <= MOST_POINTS * shortest ? shortest : fitting);
  if (condition.type === 'device') return ofDevices(store, rhythms, rule, condition, points);

  const series = await store.findSeries(rule.selector);
  const of = ruleOfDevice(rule);
  const levels = await levelsOf(store, series, condition);
  const slices = new Slices();
  const firings: Firing[] = [];
  for await (const { series: one, numbers } of replay(store, series, condition, points)) {
    if (slices.isOver()) await slices.next();
    const ofDevice = of(one.deviceName);
    if (!ofDevice.enabled) continue;
    const level = levels.get(one.id);
    const its = level === undefined ? ofDevice : { ...ofDevice, bounds: { above: level } };
    const found = firingsOf(subjectOfSeries(one), numbers, points, its.timing, (value) => judge(value, its));
    for (const firing of found) firings.push(firing);
  }
  return { step: points.step, subjects: series.length, firings: firings.sort((a, b) => a.began - b.began) };
}

/** The state machine over the numbers of one subject; where there is none, `noData` says what it means. */
function firingsOf(
  subject: Subject,
  numbers: Float64Array,
  { start, step }: Points,
  timing: Timing,
  verdictOf: (value: number) => 'wrong' | 'between' | 'right',
): Firing[] {
  const firings: Firing[] = [];
  let progress = NORMAL;
  for (let index = 0; index < numbers.length; index += 1) {
    const value = numbers[index] as number;
    const verdict = Number.isNaN(value) ? 'none' : verdictOf(value);
    // Most points are right while all is well: nothing changes then.
    if (progress === NORMAL && (verdict === 'right' || (verdict === 'none' && timing.noData !== 'alert'))) continue;
    const at = start + (index + 1) * step;
    const after = advance(progress, { at, elapsed: step, verdict, value }, timing);
    if (isFiring(after) && !isFiring(progress)) firings.push({ subject, began: at, ended: null, value });
    const last = firings.at(-1);
    if (!isFiring(after) && isFiring(progress) && last) firings[firings.length - 1] = { ...last, ended: at };
    progress = after.phase === 'normal' ? NORMAL : after;
  }
  return firings;
}

/** By the readings of each device: silent for longer than its rhythm of today allows. */
async function ofDevices(
  store: Store,
  rhythms: DeviceRhythms,
  rule: Rule,
  { status }: DeviceCondition,
  points: Points,
): Promise<DryRun> {
  const of = ruleOfDevice(rule);
  const devices = await store.devices(rule.selector);
  const firings: Firing[] = [];
  const range = { start: points.start, end: points.start + points.count * points.step };
  for (const device of devices) {
    const ofDevice = of(device.name);
    if (!ofDevice.enabled) continue;
    const { lateAt, offlineAt } = deadlines(await rhythms.of(device), 0);
    const most = status === 'late' ? lateAt : offlineAt;
    const heard = await heardAt(store, device.name, range, points.step);
    const numbers = new Float64Array(points.count).fill(NaN);
    let last: number | undefined;
    for (let index = 0; index < numbers.length; index += 1) {
      const end = points.start + (index + 1) * points.step;
      last = heard[index] || last;
      if (last !== undefined) numbers[index] = end - last;
    }
    const verdictOf = (silent: number): 'wrong' | 'between' | 'right' =>
      silent >= most ? 'wrong' : silent >= lateAt ? 'between' : 'right';
    for (const firing of firingsOf({ device: device.name }, numbers, points, ofDevice.timing, verdictOf)) {
      firings.push(firing);
    }
  }
  return { step: points.step, subjects: devices.length, firings: firings.sort((a, b) => a.began - b.began) };
}

/** The time of the last reading in each step; 0 where there is none. Of the series that has most samples. */
async function heardAt(store: Store, device: string, range: TimeRange, step: number): Promise<Float64Array> {
  const series = await store.findSeries({ devices: [device] });
  const summaries = await store.summarize(series, range);
  const most = summaries.reduce(
    (best, one) => (one.summary.count > (best?.summary.count ?? 0) ? one : best),
    summaries[0],
  );
  const heard = new Float64Array(Math.ceil((range.end - range.start) / step));
  if (!most) return heard;
  for await (const { starts } of store.readSteps([most.series], { range, step, aggregates: ['count'] })) {
    for (const start of starts) heard[Math.round((start - range.start) / step)] = start + step;
  }
  return heard;
}
