import { like, matchesAny, type Reading } from '@device-metrics/domain';
import type { Section } from '../config/section.js';
import type { Parts, Source, SourceTools } from '../run/source.js';
import type { Machine } from './machine.js';

/** A group of metrics of this PC; one file each. */
export interface PcGroup {
  /** Its key under `pc:`, and the name of its source. */
  readonly name: string;
  /** Every metric it may give. Those that a machine lacks are absent, and the log says so once. */
  readonly metrics: readonly string[];
  /**
   * Where reading it starts a program: everywhere, or only where there is no /proc. There it runs every minute unless the
   * file says otherwise.
   */
  readonly startsProgram?: 'everywhere' | 'outside Linux';
  /** On only where the configuration has its key: without keys it has nothing to read. */
  readonly onlyIfNamed?: boolean;
  /** Reads the keys of its own; the result reads a machine, and may remember what it read before. */
  configure(keys: Section): (machine: Machine) => (signal: AbortSignal, parts: Parts) => Promise<Reading[]>;
}

const SLOW_INTERVAL = 60_000;

/** A group that tells what happened between two looks takes two in its first run, this far apart (ms). */
export const FIRST_SPAN = 250;

/** The shortest interval that the group has by default on a platform, ms. */
export function shortestInterval({ startsProgram }: PcGroup, platform: NodeJS.Platform): number {
  if (startsProgram === undefined) return 0;
  return startsProgram === 'everywhere' || platform !== 'linux' ? SLOW_INTERVAL : 0;
}

/** What PC sources read with; a test gives its own. */
export type PcTools = Pick<SourceTools, 'say'> & { readonly machine: Machine };

/** A group as a source, by its keys of the configuration. */
export function pcSource(group: PcGroup, keys: Section): (tools: PcTools) => Source {
  const readerOf = group.configure(keys);
  return ({ machine, say }) => new PcSource(group, readerOf(machine), say);
}

class PcSource implements Source {
  readonly name: string;
  private said = false;

  constructor(
    private readonly group: PcGroup,
    private readonly readings: (signal: AbortSignal, parts: Parts) => Promise<Reading[]>,
    private readonly say: (message: string) => void,
  ) {
    this.name = group.name;
  }

  async read(signal: AbortSignal, parts: Parts): Promise<Reading[]> {
    const readings = await this.readings(signal, parts);
    if (!this.said) this.sayAbsent(readings);
    return readings;
  }

  private sayAbsent(readings: readonly Reading[]): void {
    this.said = true;
    const there = new Set(readings.map(({ metricName }) => metricName));
    const absent = this.group.metrics.filter((metric) => !there.has(metric));
    if (absent.length > 0) this.say(`${this.name}: this machine does not tell ${absent.join(', ')}`);
  }
}

/** Whether a name matches one of the patterns, in which `*` stands for any text. */
export const matches = (name: string, patterns: readonly string[]): boolean => matchesAny(patterns.map(like))(name);
