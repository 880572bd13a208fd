import type { Severity } from '../rules/rule.js';
import type { Progress } from './state-machine.js';
import type { Subject } from './subject.js';

/** What a route has told of an episode. */
export interface Told {
  /** When last, Unix milliseconds. */
  readonly at: number;
  /** The channels that are to hear of its end too. */
  readonly channels: readonly string[];
  /** How often. */
  readonly times: number;
  readonly escalated: boolean;
}

/** From the start of alerting until it is normal again. Times are Unix milliseconds. */
export interface Episode {
  readonly id: string;
  readonly began: number;
  readonly ended: number | null;
  readonly severity: Severity;
  /** The number that began it, and the level that it broke. */
  readonly value: number | null;
  readonly level: number | null;
  readonly acknowledged: { readonly at: number; readonly by: string; readonly comment: string } | null;
  /** Why nobody is told, where that is so. */
  readonly suppressed: string | null;
  /** By the name of the route. */
  readonly told: Readonly<Record<string, Told>>;
}

/** The state of one subject under one rule; the store keeps those that are not normal. */
export interface AlertState extends Progress {
  readonly rule: string;
  readonly subject: Subject;
  readonly episode: Episode | null;
}

/** A row of history. */
export interface ChangeBody {
  readonly from: string;
  readonly to: string;
  readonly subject: Subject;
  readonly severity: Severity;
  readonly value: number | null;
  readonly level: number | null;
  readonly episode: string | null;
  readonly note: string | null;
}
