import { expect } from '@jest/globals';
import { metricDefinition, type Reading } from '@device-metrics/domain';
import { Mistakes } from '@device-metrics/settings';
import { PartsOfRun } from '../src/run/parts.js';
import type { PcGroup } from '../src/pc/group.js';
import { thisMachine, type Machine } from '../src/pc/machine.js';
import { Section } from '../src/config/section.js';

/** A recorded Linux laptop: its files, and a disk of 1,000 blocks of which 600 are free, 500 for users. */
export const laptop: Machine = {
  ...thisMachine(new URL('../src/pc/testcases/laptop', import.meta.url).pathname),
  platform: 'linux',
  isFolder: () => Promise.resolve(true),
  statfs: (_path: string) =>
    Promise.resolve({ bsize: 4096, blocks: 1_000, bfree: 600, bavail: 500, files: 100, ffree: 75 }),
  loadavg: () => [0.5, 0.25, 0.125],
};

/** A Linux machine that has just these files, by their paths, and links, whose content is `-> path`. */
export function linuxWith(files: Readonly<Record<string, string>>, others: Partial<Machine> = {}): Machine {
  const resolve = (path: string): string => {
    const link = Object.keys(files).find((one) => files[one]?.startsWith('-> ') && `${path}/`.startsWith(`${one}/`));
    return link === undefined ? path : resolve(`${files[link]?.slice(3)}${path.slice(link.length)}`);
  };
  const text = (path: string): string | undefined => files[resolve(path)];
  const below = (path: string): string[] => {
    const folder = `${resolve(path)}/`;
    const names = Object.keys(files).filter((one) => one.startsWith(folder));
    return [...new Set(names.map((one) => one.slice(folder.length).split('/')[0] ?? ''))];
  };
  const missing = (path: string): Error => Object.assign(new Error(`there is no ${path}`), { code: 'ENOENT' });
  return {
    ...laptop,
    read: (path) => {
      const content = text(path);
      return content === undefined ? Promise.reject(missing(path)) : Promise.resolve(content);
    },
    readNow: text,
    readBytes: (path) => Promise.reject(missing(path)),
    list: (path) => Promise.resolve(below(path)),
    resolve: (path) => {
      const target = resolve(path);
      return Promise.resolve(text(target) !== undefined || below(target).length > 0 ? target : undefined);
    },
    isFolder: (path) => Promise.resolve(text(path.slice(1)) === undefined),
    run: (program) => Promise.reject(missing(program)),
    isRunning: () => true,
    ...others,
  };
}

/** Reads a group again and again as a collector does. */
export class GroupReader {
  readonly said: string[] = [];
  /** Of the last run. */
  parts = new PartsOfRun();
  private readonly reader;

  constructor(
    private readonly group: PcGroup,
    machine: Machine,
    keys: object = {},
  ) {
    const mistakes = new Mistakes();
    this.reader = group.configure(new Section(keys, '', mistakes))(machine, (message) => void this.said.push(message));
    expect(mistakes.list).toEqual([]);
  }

  /** What is sent, every metric and label of which must be in the catalogue. */
  async readings(): Promise<Reading[]> {
    this.parts = new PartsOfRun();
    const returned = await this.reader(new AbortController().signal, this.parts);
    const readings = this.parts.kept.concat(returned);
    for (const { metricName, labels = {} } of readings) {
      expect(this.group.metrics).toContain(metricName);
      for (const label of Object.keys(labels)) expect(metricDefinition(metricName)?.labels).toContain(label);
    }
    return readings;
  }

  /** In short: `metric{label="value"} value`. */
  async read(): Promise<string[]> {
    return (await this.readings()).map(({ metricName, labels, value }) => {
      const pairs = Object.entries(labels ?? {}).map(([name, text]) => `${name}="${text}"`);
      return `${metricName}{${pairs.join(',')}} ${value}`;
    });
  }

  get rejected(): string[] {
    return this.parts.rejected.map(({ part, reason }) => `${part}: ${reason}`);
  }
}

export const read = (group: PcGroup, machine: Machine, keys: object = {}): Promise<string[]> =>
  new GroupReader(group, machine, keys).read();

/** The readings of one metric. */
export const only = (readings: readonly string[], metric: string): string[] =>
  readings.filter((line) => line.startsWith(`${metric}{`));

/** Without the metric's name and the labels that are not asked for. */
export const values = (readings: readonly Reading[], metric: string, ...labels: string[]): unknown[][] =>
  readings
    .filter(({ metricName }) => metricName === metric)
    .map((reading) => [...labels.map((label) => reading.labels?.[label]), reading.value]);
