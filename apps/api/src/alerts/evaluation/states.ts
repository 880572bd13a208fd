import type { AlertChange, AlertKey, AlertStep, AlertStore, StoredAlertState } from '@device-metrics/storage';
import type { AlertState, ChangeBody } from './alert-state.js';
import { isCounting } from './state-machine.js';
import { subjectKey, type Subject } from './subject.js';

/** How long it is known that something was not normal, ms. */
const REMEMBERED = 15 * 60_000;
/** Changes that are looked at for that after a restart. */
const MOST_REMEMBERED = 100_000;

/** The states that are not normal, by rule and subject; as the store has them, and what one step changes. */
export class States {
  private readonly rules = new Map<string, Map<string, AlertState>>();
  /** When states became normal lately, Unix ms: what was seen until then is not seen again. */
  private readonly gone = new Map<string, number>();

  /** @param now Unix milliseconds. */
  static async load(store: AlertStore, now: number): Promise<States> {
    const states = new States();
    await states.begin(store, now);
    return states;
  }

  /** Begins with what the database has: what this process knew is old. @param now Unix milliseconds. */
  async begin(store: AlertStore, now: number): Promise<void> {
    this.rules.clear();
    this.gone.clear();
    await this.reload(store);
    const lately = await store.history({ start: now - REMEMBERED, limit: MOST_REMEMBERED });
    for (const { at, rule, subject, body } of lately.toReversed()) {
      if ((body as ChangeBody).to === 'normal') this.gone.set(`${rule}\n${subject}`, at);
    }
  }

  /** Takes in what other processes have written. Numbers of the moment are not written: those that are known here stay. */
  async reload(store: AlertStore): Promise<void> {
    const found = (await store.states()).map(({ body }) => this.withMoment(body as AlertState));
    this.rules.clear();
    for (const state of found) this.put(state);
  }

  private withMoment(written: AlertState): AlertState {
    const known = this.ofRule(written.rule).get(subjectKey(written.subject));
    const isSame = known?.phase === written.phase && known.since === written.since;
    return isSame && known.seenAt > written.seenAt ? { ...known, episode: written.episode } : written;
  }

  ofRule(rule: string): ReadonlyMap<string, AlertState> {
    return this.rules.get(rule) ?? NONE;
  }

  *all(): Generator<AlertState> {
    for (const states of this.rules.values()) yield* states.values();
  }

  /** The same with the rule and the subject of each. */
  *entries(): Generator<readonly [rule: string, subject: string, state: AlertState]> {
    for (const [rule, states] of this.rules) for (const [subject, state] of states) yield [rule, subject, state];
  }

  ruleNames(): string[] {
    return [...this.rules.keys()];
  }

  put(state: AlertState): void {
    const states = this.rules.get(state.rule) ?? new Map<string, AlertState>();
    states.set(subjectKey(state.subject), state);
    this.rules.set(state.rule, states);
  }

  /** When a state that is not kept any more became normal, Unix ms; undefined where that is long ago. */
  goneAt(rule: string, subject: string): number | undefined {
    return this.gone.get(`${rule}\n${subject}`);
  }

  /** @param at When it became normal, Unix ms: the same that its history says, so that a restart changes nothing. */
  drop(rule: string, subject: string, at: number, now: number): void {
    for (const [key, before] of this.gone) {
      if (now - before < REMEMBERED) break;
      this.gone.delete(key);
    }
    this.gone.delete(`${rule}\n${subject}`);
    this.gone.set(`${rule}\n${subject}`, at);
    this.rules.get(rule)?.delete(subject);
    if (this.rules.get(rule)?.size === 0) this.rules.delete(rule);
  }
}

const NONE: ReadonlyMap<string, AlertState> = new Map();

/** What one look changes: nothing of it is in the states before the store has all of it. */
export class Changes {
  private readonly written = new Map<string, AlertState>();
  private readonly dropped = new Map<string, AlertKey & { readonly at: number }>();
  private readonly kept = new Set<string>();
  private readonly touched = new Set<string>();
  private readonly history: AlertChange[] = [];

  constructor(private readonly states: States) {}

  get(rule: string, subject: string): AlertState | undefined {
    const key = `${rule}\n${subject}`;
    if (this.dropped.has(key)) return undefined;
    return this.written.get(key) ?? this.states.ofRule(rule).get(subject);
  }

  /**
   * Up to when what has been seen of a subject stays, whatever comes late: while it counts for how long it is so, up to
   * what was seen last; else up to when it began to be so, but no longer than up to `open`. All Unix milliseconds.
   */
  settledUntil(rule: string, subject: Subject, open: number): number {
    const state = this.find(rule, subject);
    if (state && isCounting(state)) return state.seenAt;
    return Math.max(open, state?.since ?? this.goneAt(rule, subject) ?? 0);
  }

  private goneAt(rule: string, subject: Subject): number | undefined {
    const key = subjectKey(subject);
    return this.dropped.get(`${rule}\n${key}`)?.at ?? this.states.goneAt(rule, key);
  }

  find(rule: string, subject: Subject): AlertState | undefined {
    return this.get(rule, subjectKey(subject));
  }

  /** @param kept false where only numbers of the moment are new, which a restart finds out again. */
  put(state: AlertState, kept = true): void {
    const key = `${state.rule}\n${subjectKey(state.subject)}`;
    this.dropped.delete(key);
    this.written.set(key, state);
    this.touched.add(state.rule);
    if (kept) this.kept.add(key);
  }

  /** Whether a state of the rule has been written. */
  touch(rule: string): boolean {
    return this.touched.has(rule);
  }

  /** @param at When it became normal, Unix milliseconds. */
  drop(state: AlertState, at = state.since): void {
    const subject = subjectKey(state.subject);
    const key = `${state.rule}\n${subject}`;
    this.written.delete(key);
    this.dropped.set(key, { rule: state.rule, subject, at });
  }

  note(at: number, { rule, subject }: AlertState, body: ChangeBody): void {
    this.history.push({ at, rule, subject: subjectKey(subject), device: subject.device, body });
  }

  /** All states, as they will be. */
  *all(): Generator<AlertState> {
    for (const [rule, subject, state] of this.states.entries()) {
      const key = `${rule}\n${subject}`;
      if (!this.written.has(key) && !this.dropped.has(key)) yield state;
    }
    yield* this.written.values();
  }

  step(at: number): Omit<AlertStep, 'messages'> {
    const states = [...this.kept].flatMap((key): StoredAlertState[] => {
      const state = this.written.get(key);
      if (!state) return [];
      const { rule, subject } = state;
      return [{ rule, subject: subjectKey(subject), device: subject.device, body: state }];
    });
    return {
      at,
      states,
      gone: [...this.dropped.values()].map(({ rule, subject }) => ({ rule, subject })),
      changes: this.history,
    };
  }

  /** Once the store has them. */
  keep(now: number): void {
    for (const { rule, subject, at } of this.dropped.values()) this.states.drop(rule, subject, at, now);
    for (const state of this.written.values()) this.states.put(state);
  }
}
