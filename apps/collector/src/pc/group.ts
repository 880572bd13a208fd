import { like, matchesAny, type Reading } from '@device-metrics/domain';
import type { Section } from '../config/section.js';
import type { Parts, Source, SourceTools } from '../run/source.js';
import type { Machine } from './machine.js';

/** Reads what a group tells of a machine now. Rejects where nothing of it can be read; what cannot, goes to `parts`. */
export type Reader = (signal: AbortSignal, parts: Parts) => Promise<Reading[]>;

/** A group of metrics of this PC; one file each. */
export interface PcGroup {
  /** Its key under `pc:`, and the name of its source. */
  readonly name: string;
  /** Every metric it may give. Those that a machine lacks are absent, and the log says so once. */
  readonly metrics: readonly string[];
  /** Of these, what it gives only of things that the file names. */
  readonly ofNamed?: readonly string[];
  /**
   * Where reading it starts a program: everywhere, or only where there is no /proc. There it runs every minute unless the
   * file says otherwise.
   */
  readonly startsProgram?: 'everywhere' | 'outside Linux';
  /** The shortest interval that it has unless the file says otherwise, ms: of what changes slowly. */
  readonly slow?: number;
  /**
   * Reads the keys of its own; the result reads a machine, and may remember what it read before. `say` tells a person what holds
   * for as long as the collector runs.
   */
  configure(keys: Section): (machine: Machine, say: (message: string) => void) => Reader;
  /** What the keys name and the machine does not have, as `collector check` says it. */
  check?(keys: Section): (machine: Machine) => Promise<readonly string[]>;
}

const SLOW_INTERVAL = 60_000;

/** A group that tells what happened between two looks takes two in its first run, this far apart (ms). */
export const FIRST_SPAN = 250;

/** The shortest interval that the group has by default on a platform, ms. */
export function shortestInterval({ startsProgram, slow = 0 }: PcGroup, platform: NodeJS.Platform): number {
  const starts = startsProgram === 'everywhere' || (startsProgram === 'outside Linux' && platform !== 'linux');
  return Math.max(slow, starts ? SLOW_INTERVAL : 0);
}

/** What PC sources read with; a test gives its own. */
export type PcTools = Pick<SourceTools, 'say'> & { readonly machine: Machine };

/** A group as a source, by its keys of the configuration. */
export function pcSource(group: PcGroup, keys: Section): (tools: PcTools) => Source {
  const readerOf = group.configure(keys);
  return ({ machine, say }) => new PcSource(group, readerOf(machine, say), say);
}

class PcSource implements Source {
  readonly name: string;
  private said = false;

  constructor(
    private readonly group: PcGroup,
    private readonly readings: Reader,
    private readonly say: (message: string) => void,
  ) {
    this.name = group.name;
  }

  async read(signal: AbortSignal, parts: Parts): Promise<Reading[]> {
    const told = new Set<string>();
    const heard: Parts = {
      reject: (part, reason) => parts.reject(part, reason),
      leaveOut: (part, reason) => parts.leaveOut(part, reason),
      keep: (readings) => {
        for (const { metricName } of readings) told.add(metricName);
        parts.keep(readings);
      },
    };
    const readings = await this.readings(signal, heard);
    for (const { metricName } of readings) told.add(metricName);
    if (!this.said) this.sayAbsent(told);
    return readings;
  }

  private sayAbsent(told: ReadonlySet<string>): void {
    this.said = true;
    const { metrics, ofNamed = [] } = this.group;
    const absent = metrics.filter((metric) => !told.has(metric) && !ofNamed.includes(metric));
    if (absent.length > 0) this.say(`${this.name}: this machine does not tell ${absent.join(', ')}`);
  }
}

/** How long one part of a run may take, ms. */
const PATIENCE = 2_000;

/**
 * Reads one part of a run, and gives it up in time or with the run, so that one that hangs does not cost the others: its signal
 * aborts then.
 *
 * @param patience ms.
 */
export function patiently<T>(
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
  patience = PATIENCE,
): Promise<T> {
  const own = new AbortController();
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      own.abort();
      reject(new Error(`hangs: no answer within ${patience / 1000} s`));
    };
    const timer = setTimeout(giveUp, patience);
    signal.addEventListener('abort', giveUp);
    void work(own.signal)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
      });
  });
}

/** Whether a name matches one of the patterns of a key, in which `*` stands for any text. */
export const patternsOf = (keys: Section, key: string, fallback: readonly string[]): ((name: string) => boolean) =>
  matchesAny(keys.texts(key, fallback).map(like));
