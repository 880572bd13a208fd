import { MINUTE, HOUR, Slices, type Series, type TimeRange } from '@device-metrics/domain';
import type { Store } from '@device-metrics/storage';
import type { DeviceRhythms } from '../devices/device-rhythms.js';
import { deadlines } from '../devices/rhythm.js';
import { judge, ruleOfDevice, type RuleOfDevice } from './evaluation/judge.js';
import type { Numbers, SeriesCondition } from './evaluation/measure.js';
import { levelsOf } from './evaluation/own-levels.js';
import { ruleOfSeries } from './evaluation/rule-of-series.js';
import { pointsIn, type LookPoints } from './evaluation/look-points.js';
import { replay } from './evaluation/replay.js';
import { advance, isFiring, NORMAL, type Timing } from './evaluation/state-machine.js';
import { subjectOfSeries, type Subject } from './evaluation/subject.js';
import { stretchesOf, toldByHours } from './evaluation/wrong-hours.js';
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
  const past = new Past(store, rule, points, await levelsOf(store, series, condition));
  await past.run(series);
  return { step: points.step, subjects: series.length, firings: past.firings.sort((a, b) => a.began - b.began) };
}

/** Devices that are looked at together. */
const DEVICES = 8;
/** Where more than this share of the points can be wrong, to look for them first is of no use. */
const MOSTLY = 0.5;
/** How much farther it is looked where something is still wrong at the end of a stretch, ms; twice as far each time. */
const FARTHER = 6 * HOUR;

/** A rule over the past of series, hour by hour where only some hours can be wrong. */
class Past {
  readonly firings: Firing[] = [];
  private readonly ruleOf: (series: Series) => RuleOfDevice;
  private readonly slices = new Slices();

  constructor(
    private readonly store: Store,
    private readonly rule: Rule,
    private readonly points: LookPoints,
    levels: Numbers,
  ) {
    this.ruleOf = ruleOfSeries(rule, levels);
  }

  async run(series: readonly Series[]): Promise<void> {
    const enabled = series.filter((one) => this.ruleOf(one).enabled);
    const byDevice = new Map<string, Series[]>();
    for (const one of enabled) {
      const its = byDevice.get(one.deviceName);
      if (its) its.push(one);
      else byDevice.set(one.deviceName, [one]);
    }
    const devices = [...byDevice.values()];
    let isMostlyWrong = !toldByHours(this.rule);
    for (let first = 0; first < devices.length; first += DEVICES) {
      const some = devices.slice(first, first + DEVICES);
      if (isMostlyWrong) {
        await this.look(some.flat(), this.points, new Map());
        continue;
      }
      let read = 0;
      for (const its of some) read += await this.lookWhereWrong(its);
      isMostlyWrong = read > MOSTLY * this.points.count * some.length;
    }
  }

  /** At the stretches of one device that can be wrong, and until all is right again; gives how many points these are. */
  private async lookWhereWrong(series: readonly Series[]): Promise<number> {
    const { store, rule, points } = this;
    const stretches = await stretchesOf(store, series, this.ruleOf, rule.condition, points);
    const end = points.start + points.count * points.step;
    const courses = new Map<number, Course>();
    const isRight = (): boolean => [...courses.values()].every(({ isNormal }) => isNormal);
    let [read, done] = [0, points.start];
    const take = async (from: number, until: number): Promise<void> => {
      const count = Math.round((Math.min(until, end) - from) / points.step);
      await this.look(series, { ...points, start: from, count }, courses);
      [read, done] = [read + count, from + count * points.step];
    };
    for (const [index, { start, step, count }] of stretches.entries()) {
      const next = stretches[index + 1]?.start ?? end;
      if (start + count * step > done) await take(Math.max(start, done), start + count * step);
      for (let more = FARTHER; !isRight() && done < next; more *= 2) {
        await take(done, Math.min(next, done + Math.ceil(more / step) * step));
      }
    }
    return read;
  }

  /** @param courses of the series, by id; where they stood at the beginning of the points. */
  private async look(series: readonly Series[], points: LookPoints, courses: Map<number, Course>): Promise<void> {
    const unseen = new Map(courses);
    const condition = this.rule.condition as SeriesCondition;
    for await (const { series: one, numbers } of replay(this.store, series, condition, points)) {
      if (this.slices.isOver()) await this.slices.next();
      unseen.delete(one.id);
      const its = this.ruleOf(one);
      const course = courses.get(one.id) ?? new Course(subjectOfSeries(one), its.timing, this.firings);
      courses.set(one.id, course);
      course.take(numbers, points, (value) => judge(value, its));
    }
    for (const course of unseen.values()) {
      course.take(new Float64Array(points.count).fill(NaN), points, () => 'right');
    }
  }
}

/** The state machine over the numbers of one subject; where there is none, `noData` says what it means. */
class Course {
  private progress = NORMAL;
  /** The place of its last firing. */
  private last = -1;

  constructor(
    private readonly subject: Subject,
    private readonly timing: Timing,
    private readonly firings: Firing[],
  ) {}

  get isNormal(): boolean {
    return this.progress === NORMAL;
  }

  take(
    numbers: Float64Array,
    { start, step }: LookPoints,
    verdictOf: (value: number) => 'wrong' | 'between' | 'right',
  ): void {
    const { subject, timing, firings } = this;
    let { progress } = this;
    for (let index = 0; index < numbers.length; index += 1) {
      const value = numbers[index] as number;
      const verdict = Number.isNaN(value) ? 'none' : verdictOf(value);
      // Most points are right while all is well: nothing changes then.
      if (progress === NORMAL && (verdict === 'right' || (verdict === 'none' && timing.noData !== 'alert'))) continue;
      const at = start + (index + 1) * step;
      const after = advance(progress, { at, elapsed: step, verdict, value }, timing);
      if (isFiring(after) && !isFiring(progress)) {
        this.last = firings.length;
        firings.push({ subject, began: at, ended: null, value });
      }
      const last = firings[this.last];
      if (!isFiring(after) && isFiring(progress) && last) firings[this.last] = { ...last, ended: at };
      progress = after.phase === 'normal' ? NORMAL : after;
    }
    this.progress = progress;
  }
}

/** By the readings of each device: silent for longer than its rhythm of today allows. */
async function ofDevices(
  store: Store,
  rhythms: DeviceRhythms,
  rule: Rule,
  { status }: DeviceCondition,
  points: LookPoints,
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
    new Course({ device: device.name }, ofDevice.timing, firings).take(numbers, points, verdictOf);
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
