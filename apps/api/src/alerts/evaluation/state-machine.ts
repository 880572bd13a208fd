/** What one look at a subject gives. */
export interface Observation {
  /** When, Unix milliseconds. */
  readonly at: number;
  /** Since the look before, by a clock that nobody sets, ms. */
  readonly elapsed: number;
  /**
   * `wrong` and `right` by the levels of the rule, `between` where it is neither wrong nor right again; `none`: there is
   * no data; `error`: it could not be found out.
   */
  readonly verdict: 'wrong' | 'between' | 'right' | 'none' | 'error';
  readonly value: number | null;
  /** Of an error. */
  readonly reason?: string;
}

export type Phase = 'normal' | 'pending' | 'alerting' | 'recovering';

export interface Progress {
  readonly phase: Phase;
  /** How long the phase has lasted, ms; of pending and recovering. */
  readonly held: number;
  /** When the phase began, Unix milliseconds. */
  readonly since: number;
  /** When something was seen last, Unix milliseconds. */
  readonly seenAt: number;
  /** The last number that was seen. */
  readonly value: number | null;
  /** The last look saw nothing: there was no data, or an error. */
  readonly blind: 'none' | 'error' | null;
  readonly reason: string | null;
}

/** How long is wrong, how long is right again (ms), and what it means when there is no data. */
export interface Timing {
  readonly for: number;
  readonly clearFor: number;
  readonly noData: 'keep' | 'clear' | 'alert';
}

export const NORMAL: Progress = {
  phase: 'normal',
  held: 0,
  since: 0,
  seenAt: 0,
  value: null,
  blind: null,
  reason: null,
};

/** What a person calls the state. */
export type StateName = Phase | 'no_data' | 'error';

export function stateName({ phase, blind }: Progress): StateName {
  if (blind === null || phase === 'alerting' || phase === 'recovering') return phase;
  return blind === 'none' ? 'no_data' : 'error';
}

/** Whether somebody is to know: from the start of alerting until it is normal again. */
export const isFiring = ({ phase }: Progress): boolean => phase === 'alerting' || phase === 'recovering';

/** Whether it counts for how long it is so. */
export const isCounting = ({ phase }: Progress): boolean => phase === 'pending' || phase === 'recovering';

/**
 * ```
 *            wrong                 wrong for `for`              right
 *   normal ────────▶ pending ───────────────────▶ alerting ◀──────────▶ recovering
 *      ▲               │ not wrong                            not right     │ right for `clearFor`
 *      └───────────────┴────────────────────────────────────────────────────┘
 * ```
 */
export function advance(before: Progress, observation: Observation, timing: Timing): Progress {
  const { verdict, value, at, reason = null } = observation;
  const blind = verdict === 'none' || verdict === 'error' ? verdict : null;
  const meaning = meaningOf(verdict, timing);
  const next = meaning === undefined ? before : moved(before, meaning, observation, timing);
  return {
    phase: next.phase,
    held: next.held,
    since: next.phase === before.phase && before.since > 0 ? before.since : at,
    seenAt: blind === null ? at : before.seenAt,
    value: blind === null ? value : before.value,
    blind,
    reason,
  };
}

/** What a verdict says of the subject; undefined where it says nothing. */
function meaningOf(verdict: Observation['verdict'], { noData }: Timing): 'wrong' | 'between' | 'right' | undefined {
  if (verdict === 'error' || (verdict === 'none' && noData === 'keep')) return undefined;
  if (verdict === 'none') return noData === 'alert' ? 'wrong' : 'right';
  return verdict;
}

function moved(
  { phase, held }: Progress,
  verdict: 'wrong' | 'between' | 'right',
  { elapsed }: Observation,
  timing: Timing,
): { phase: Phase; held: number } {
  if (phase === 'normal' || phase === 'pending') {
    if (verdict !== 'wrong') return { phase: 'normal', held: 0 };
    const lasted = phase === 'pending' ? held + elapsed : 0;
    return lasted >= timing.for ? { phase: 'alerting', held: 0 } : { phase: 'pending', held: lasted };
  }
  if (verdict !== 'right') return { phase: 'alerting', held: 0 };
  const lasted = phase === 'recovering' ? held + elapsed : 0;
  return lasted >= timing.clearFor ? { phase: 'normal', held: 0 } : { phase: 'recovering', held: lasted };
}
