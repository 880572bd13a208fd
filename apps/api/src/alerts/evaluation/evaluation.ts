import { setImmediate } from 'node:timers/promises';
import { inSlices, reasonOf, selectsDevice, type Series } from '@device-metrics/domain';
import type { Store, StoredDevice } from '@device-metrics/storage';
import type { DeviceRhythms } from '../../devices/device-rhythms.js';
import type { Rhythm } from '../../devices/rhythm.js';
import type { Arrivals } from '../../live/arrivals.js';
import { GRID, LATENESS } from '../rules/read-rule.js';
import type { ClockCondition, DeviceCondition, Rule, ServerCondition } from '../rules/rule.js';
import type { Registry } from '../registry.js';
import type { AlertState } from './alert-state.js';
import { silenceOf } from './device-looks.js';
import { end, follow } from './follow.js';
import { judge, ruleOfDevice, type RuleOfDevice } from './judge.js';
import { measure, type Numbers, type SeriesCondition } from './measure.js';
import { levelsOf } from './own-levels.js';
import { ruleOfSeries } from './rule-of-series.js';
import { pointsIn } from './look-points.js';
import { replay } from './replay.js';
import { isCounting } from './state-machine.js';
import type { Changes } from './states.js';
import { subjectKey, subjectOfSeries } from './subject.js';

/** What a server rule looks at. */
export interface ServerNumbers {
  number(condition: ServerCondition, now: number): Promise<number>;
}

/** The time at one look. */
export interface Moment {
  /** Unix milliseconds. */
  readonly now: number;
  /** By a clock that nobody sets, ms. */
  readonly elapsed: number;
}

/** How often the series of a rule are looked for again, ms. */
const SELECTION_AGE = 60_000;
/** A device whose samples are so far from now has a clock of its own, up to so far; ms. */
const OWN_CLOCK = 60_000;
const WRONG_CLOCK = 2 * 3_600_000;
/** After a restart the time in between is looked at, at most so much of it, ms. */
const LONGEST_CATCH_UP = 3_600_000;

interface Watched {
  readonly series: readonly Series[];
  readonly chosenAt: number;
}

/** Looks at all rules whose time has come, and takes what it sees into their states. */
export class Evaluation {
  private readonly watched = new WeakMap<Rule, Watched>();
  private lastLook = new WeakMap<Rule, Moment>();
  private readonly startedAt: number;
  /** Since when it has been looked without a break, by the clock that nobody sets: a machine that sleeps looks at nothing. */
  private awakeSince: number;
  private previous: Moment | undefined;
  /** What came at the looks of the last minutes, the oldest time of each device: not every rule was looked at then. */
  private came: { readonly elapsed: number; readonly oldest: ReadonlyMap<string, number> }[] = [];
  private firstLook = true;
  /** The times of devices whose clock is wrong, at this look. */
  private clocks: ReadonlyMap<string, number> = new Map();

  constructor(
    private readonly store: Store,
    private readonly rules: Registry<Rule>,
    private readonly rhythms: DeviceRhythms,
    private readonly arrivals: Arrivals,
    private readonly server: ServerNumbers,
    start: Moment,
    /** Up to when the rules had been looked at before this process, Unix ms. */
    private lookedUntil: number | undefined,
  ) {
    this.startedAt = start.elapsed;
    this.awakeSince = start.elapsed;
  }

  /** Another process has looked at the rules meanwhile, up to this time, Unix ms. */
  begin(lookedUntil: number | undefined): void {
    this.lookedUntil = lookedUntil;
    this.lastLook = new WeakMap();
    this.firstLook = true;
  }

  /** @param devices all that there are, by name. */
  async look(
    changes: Changes,
    moment: Moment,
    devices: readonly StoredDevice[],
    stateRules: readonly string[],
    statesOf: StatesOf,
  ): Promise<void> {
    this.noteBreak(moment);
    const lateSince = this.takeArrivals(moment);
    this.clocks = this.ownClocks(moment);
    for (const { value: rule } of this.rules.list()) {
      const last = this.lastLook.get(rule);
      // A quarter of the grid: a timer that comes a little early is not to lose a turn.
      if (!rule.enabled || (last && moment.elapsed - last.elapsed < rule.every - GRID / 4)) continue;
      this.lastLook.set(rule, moment);
      await setImmediate();
      await this.lookAt(changes, rule, moment, devices, last, lateSince(last), statesOf);
    }
    const enabled = new Set(this.rules.values().flatMap(({ enabled, name }) => (enabled ? [name] : [])));
    for (const name of stateRules) {
      if (enabled.has(name)) continue;
      for (const state of statesOf(name).values()) {
        if (state.phase !== 'normal' || state.blind !== null)
          end(changes, state, moment.now, 'the rule is gone or off');
      }
    }
    this.firstLook = false;
  }

  /** For how long it has been looked without a break, ms. */
  private get awake(): number {
    return (this.previous?.elapsed ?? this.awakeSince) - this.awakeSince;
  }

  private noteBreak(moment: Moment): void {
    const { now, elapsed } = this.previous ?? moment;
    if (moment.now - now - (moment.elapsed - elapsed) > OWN_CLOCK) this.awakeSince = moment.elapsed;
    this.previous = moment;
  }

  /** Gives the oldest times of what has come since the last look at a rule. */
  private takeArrivals({ elapsed }: Moment): (last: Moment | undefined) => ReadonlyMap<string, number> {
    this.came = this.came.filter((one) => elapsed - one.elapsed < LATENESS);
    this.came.push({ elapsed, oldest: this.arrivals.take() });
    const known = new Map<number, ReadonlyMap<string, number>>();
    return (last) => {
      const since = last?.elapsed ?? -Infinity;
      const found =
        known.get(since) ?? oldestOf(this.came.filter((one) => one.elapsed > since).map(({ oldest }) => oldest));
      known.set(since, found);
      return found;
    };
  }

  private async lookAt(
    changes: Changes,
    rule: Rule,
    moment: Moment,
    devices: readonly StoredDevice[],
    last: Moment | undefined,
    late: ReadonlyMap<string, number>,
    statesOf: StatesOf,
  ): Promise<void> {
    const elapsed = last ? Math.max(0, moment.elapsed - last.elapsed) : GRID;
    try {
      const { condition } = rule;
      if (condition.type === 'server') await this.lookAtServer(changes, rule, condition, moment, elapsed);
      else if (condition.type === 'device' || condition.type === 'clock')
        await this.lookAtDevices(changes, rule, condition, moment, { devices, elapsed, statesOf });
      else await this.lookAtSeries(changes, rule, condition, moment, { elapsed, last, late, statesOf });
    } catch (error) {
      const reason = reasonOf(error);
      const of = ruleOfDevice(rule);
      for (const state of statesOf(rule.name).values()) {
        const observation = { at: moment.now, elapsed, verdict: 'error' as const, value: null, reason };
        follow(changes, rule, of(state.subject.device), state.subject, observation);
      }
      if (statesOf(rule.name).size === 0) {
        const observation = { at: moment.now, elapsed, verdict: 'error' as const, value: null, reason };
        follow(changes, rule, of(''), { device: '' }, observation);
      }
    }
  }

  private async lookAtServer(
    changes: Changes,
    rule: Rule,
    condition: ServerCondition,
    { now }: Moment,
    elapsed: number,
  ): Promise<void> {
    const value = await this.server.number(condition, now);
    const ofServer = ruleOfDevice(rule)('');
    follow(changes, rule, ofServer, { device: '' }, { at: now, elapsed, verdict: judge(value, ofServer), value });
  }

  private async lookAtDevices(
    changes: Changes,
    rule: Rule,
    condition: DeviceCondition | ClockCondition,
    moment: Moment,
    { devices, elapsed, statesOf }: DeviceLook,
  ): Promise<void> {
    const of = ruleOfDevice(rule);
    const clock = { ...moment, uptime: moment.elapsed - this.startedAt };
    const selected = devices.filter(selectsDevice(rule.selector));
    const watched = selected.filter(({ name }) => of(name).enabled);
    const there = new Set(watched.map(({ name }) => name));
    const rhythms = condition.type === 'device' ? await this.rhythms.ofAll(watched) : [];
    await inSlices(watched, (device, index) => {
      const look =
        condition.type === 'clock'
          ? this.clockOf(device.name, of(device.name), moment)
          : this.silenceOf(device, rhythms[index], condition, clock);
      if (!look) return;
      const { verdict, value } = look;
      follow(changes, rule, of(device.name), { device: device.name }, { at: moment.now, elapsed, verdict, value });
    });
    this.endMissing(changes, rule, (device) => there.has(device), moment.now, statesOf);
  }

  private silenceOf(
    device: StoredDevice,
    rhythm: Rhythm | undefined,
    { status }: DeviceCondition,
    clock: Moment & { readonly uptime: number },
  ): Look | undefined {
    const silence = silenceOf(device, rhythm, this.arrivals.of(device.name), clock);
    if (silence === undefined) return undefined;
    // Late is not yet offline, but who has been offline is back only when it is on time.
    const verdict = silence.silent >= silence[status] ? 'wrong' : silence.silent >= silence.late ? 'between' : 'right';
    return { verdict, value: silence.silent / 1000 };
  }

  /** By the newest of what came within the last minute, since what had been kept comes with old times. */
  private clockOf(device: string, ofDevice: RuleOfDevice, { elapsed }: Moment): Look | undefined {
    const arrival = this.arrivals.of(device);
    if (arrival === undefined || elapsed - arrival.heard > OWN_CLOCK) return undefined;
    return { verdict: judge(Math.abs(arrival.behind), ofDevice), value: arrival.behind / 1000 };
  }

  private async lookAtSeries(
    changes: Changes,
    rule: Rule,
    condition: SeriesCondition,
    moment: Moment,
    { elapsed, last, late, statesOf }: SeriesLook,
  ): Promise<void> {
    const { series, fresh } = await this.seriesOf(rule, moment);
    const of = ruleOfDevice(rule);
    if (fresh) {
      const keys = new Set<string>();
      await inSlices(series, (one) => void (of(one.deviceName).enabled && keys.add(subjectKey(subjectOfSeries(one)))));
      this.endMissing(changes, rule, () => false, moment.now, statesOf, keys);
    }
    const levels = await levelsOf(this.store, series, condition);
    const ofSeries = ruleOfSeries(rule, levels);
    for (const [at, its] of this.byClock(series, moment.now)) {
      if (at === moment.now) await this.catchUp(changes, rule, condition, its, levels, moment, last, late, statesOf);
      const numbers = await measure(this.store, its, condition, at);
      const look = { at, elapsed };
      const states = statesOf(rule.name);
      const unseen: Series[] = [];
      await inSlices(its, (one) => {
        const value = numbers.get(one.id);
        if (value === undefined) {
          unseen.push(one);
          return;
        }
        const ofDevice = ofSeries(one);
        if (!ofDevice.enabled) return;
        const verdict = judge(value, ofDevice);
        if (verdict === 'right' && states.size === 0 && !changes.touch(rule.name)) return;
        follow(changes, rule, ofDevice, subjectOfSeries(one), { ...look, verdict, value });
      });
      await this.lookAtUnseen(changes, rule, unseen, look, of, states);
    }
  }

  /** Series that had no number: after a while that means something, unless this server was not there for so long. */
  private async lookAtUnseen(
    changes: Changes,
    rule: Rule,
    series: readonly Series[],
    { at, elapsed }: { readonly at: number; readonly elapsed: number },
    of: (device: string) => RuleOfDevice,
    states: ReturnType<StatesOf>,
  ): Promise<void> {
    const those: Series[] = [];
    await inSlices(series, (one) => {
      if (rule.noData === 'alert' || states.has(subjectKey(subjectOfSeries(one)))) those.push(one);
    });
    if (those.length === 0 || this.awake < rule.noDataAfter) return;
    for (const { series: one, timestamp } of await this.store.latest(those)) {
      const ofDevice = of(one.deviceName);
      if (at - timestamp < rule.noDataAfter || !ofDevice.enabled) continue;
      follow(changes, rule, ofDevice, subjectOfSeries(one), { at, elapsed, verdict: 'none', value: null });
    }
  }

  /** Looks at the points of the past of which data came only now: late data, and what came while this server was away. */
  private async catchUp(
    changes: Changes,
    rule: Rule,
    condition: SeriesCondition,
    series: readonly Series[],
    levels: Numbers,
    { now }: Moment,
    last: Moment | undefined,
    late: ReadonlyMap<string, number>,
    statesOf: StatesOf,
  ): Promise<void> {
    const since = last ? last.now : this.firstLook ? this.lookedUntil : undefined;
    if (since === undefined || since > now) return;
    const whole = last === undefined;
    if (!whole && [...late.values()].every((oldest) => oldest >= since - 2 * GRID)) return;
    const isLate = (device: string): boolean => (late.get(device) ?? now) < since - 2 * GRID;
    const those = whole ? series : series.filter(({ deviceName }) => isLate(deviceName));
    if (those.length === 0) return;
    // How long it had been wrong before a restart is found again from what was seen last.
    const begun = [...statesOf(rule.name).values()].filter(isCounting);
    const oldestLate = those.reduce((first, { deviceName }) => Math.min(first, late.get(deviceName) ?? now), Infinity);
    const oldest = whole
      ? begun.reduce((first, { seenAt }) => Math.min(first, seenAt), Math.min(since, oldestLate))
      : oldestLate;
    const earliest = now - (whole ? LONGEST_CATCH_UP : LATENESS);
    const start = Math.max(Math.floor(oldest / GRID) * GRID, earliest);
    // The last point is the look of now.
    const points = pointsIn({ start, end: now - GRID / 2 }, GRID);
    if (points.count === 0) return;
    const ofSeries = ruleOfSeries(rule, levels);
    for await (const { series: one, numbers } of replay(this.store, those, condition, points)) {
      const ofDevice = ofSeries(one);
      if (!ofDevice.enabled) continue;
      const subject = subjectOfSeries(one);
      // What had been looked at was right, unless data that is late, and not too late, says otherwise.
      const open = isLate(one.deviceName) ? Math.min(since, now - LATENESS) : since;
      const settled = changes.settledUntil(rule.name, subject, open);
      for (let index = 0; index < numbers.length; index += 1) {
        const value = numbers[index] as number;
        const at = points.start + (index + 1) * points.step;
        if (Number.isNaN(value) || at <= settled) continue;
        follow(changes, rule, ofDevice, subject, { at, elapsed: GRID, verdict: judge(value, ofDevice), value });
      }
    }
  }

  private async seriesOf(rule: Rule, { elapsed }: Moment): Promise<{ series: readonly Series[]; fresh: boolean }> {
    const known = this.watched.get(rule);
    if (known && elapsed - known.chosenAt < SELECTION_AGE) return { series: known.series, fresh: false };
    const series = await this.store.findSeries(rule.selector);
    this.watched.set(rule, { series, chosenAt: elapsed });
    return { series, fresh: true };
  }

  /** A device whose clock is wrong is looked at by its own clock: its windows end with its newest sample. */
  private ownClocks({ elapsed }: Moment): Map<string, number> {
    const clocks = new Map<string, number>();
    for (const [device, { heard, newest, behind, behindBefore = behind }] of this.arrivals.all()) {
      // What had been kept for a while comes with old times, and the next with those of now.
      const off = Math.min(Math.abs(behind), Math.abs(behindBefore));
      if (elapsed - heard <= OWN_CLOCK && off > OWN_CLOCK && off < WRONG_CLOCK) clocks.set(device, newest);
    }
    return clocks;
  }

  private byClock(series: readonly Series[], now: number): Map<number, readonly Series[]> {
    if (this.clocks.size === 0) return new Map([[now, series]]);
    const groups = new Map<number, Series[]>();
    for (const one of series) {
      const at = this.clocks.get(one.deviceName) ?? now;
      const group = groups.get(at);
      if (group) group.push(one);
      else groups.set(at, [one]);
    }
    return groups;
  }

  /** What is no longer selected has no state. */
  private endMissing(
    changes: Changes,
    rule: Rule,
    isThere: (device: string) => boolean,
    now: number,
    statesOf: StatesOf,
    keys?: ReadonlySet<string>,
  ): void {
    for (const [key, state] of statesOf(rule.name)) {
      if (state.phase === 'normal' && state.blind === null) continue;
      const there = keys ? keys.has(key) : isThere(state.subject.device);
      if (!there) end(changes, state, now, 'the rule no longer selects it');
    }
  }
}

/** Of each device the oldest of all. */
function oldestOf(all: readonly ReadonlyMap<string, number>[]): ReadonlyMap<string, number> {
  const [first = new Map<string, number>(), ...others] = all;
  if (others.length === 0) return first;
  const oldest = new Map(first);
  for (const one of others) {
    for (const [device, time] of one) oldest.set(device, Math.min(time, oldest.get(device) ?? time));
  }
  return oldest;
}

type StatesOf = (rule: string) => ReadonlyMap<string, AlertState>;

interface Look {
  readonly verdict: 'wrong' | 'between' | 'right';
  readonly value: number;
}

interface DeviceLook {
  readonly devices: readonly StoredDevice[];
  readonly elapsed: number;
  readonly statesOf: StatesOf;
}

interface SeriesLook {
  readonly elapsed: number;
  readonly last: Moment | undefined;
  readonly late: ReadonlyMap<string, number>;
  readonly statesOf: StatesOf;
}
