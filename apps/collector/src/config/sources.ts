import { deviceNameRule, didYouMean, quote } from '@device-metrics/domain';
import { pcSource, shortestInterval } from '../pc/group.js';
import { pcGroups } from '../pc/groups.js';
import { thisMachine } from '../pc/machine.js';
import type { Section } from './section.js';
import type { Source, SourceTools } from '../run/source.js';
import { protocols } from '../third-party/protocols.js';

const SHORTEST_INTERVAL = 100;
const LONGEST_INTERVAL = 86_400_000;
/** The api as a device. */
export const API_DEVICE = 'device-metrics-api';
const DEFAULT_TIMEOUT = 5_000;
const LONGEST_TIMEOUT = 300_000;

/** One source that runs at its interval. */
export interface SourceConfig {
  /** Unique in this collector. */
  readonly name: string;
  readonly deviceName: string;
  /** Milliseconds. */
  readonly interval: number;
  /** How long a run may take, ms. */
  readonly timeout: number;
  /** Two configurations of a source are the same where this is. */
  readonly identity: string;
  readonly create: (tools: SourceTools) => Source;
  /** What the configuration names and this machine does not have; undefined where there is nothing to look for. */
  readonly check?: (() => Promise<readonly string[]>) | undefined;
}

/** A configuration of the api as the sources are read from it. */
export interface RemoteRoot {
  readonly root: Section;
  readonly commands: boolean;
}

/** What the environment says for sources that say nothing themselves. */
export interface Defaults {
  readonly deviceName: string;
  readonly interval: number;
  /** The api as a third-party device; undefined where it is not on this PC. */
  readonly api: Readonly<Record<string, unknown>> | undefined;
}

/**
 * The sources that a configuration asks for: the groups of this PC that are on, then the third-party devices, and the api
 * itself, unless `api: false` leaves it out or it is among the third-party devices.
 *
 * @param remote what the api says beside it: its third-party devices come too; its `pc` and `api` count where the PC says nothing
 * of them.
 */
export function sourcesOf(root: Section, defaults: Defaults, remote?: RemoteRoot): SourceConfig[] {
  const theirs = remote && { pc: pcSources(remote.root, defaults), wantsApi: remote.root.flag('api', true) };
  const pc = theirs && !root.has('pc') ? theirs.pc : pcSources(root, defaults);
  const wantsApi = theirs && !root.has('api') ? theirs.wantsApi : root.flag('api', true);
  const remoteEntries = remote?.root.sections('third_party') ?? [];
  if (remote && !remote.commands) refuseCommands(remoteEntries);
  const entries = [...root.sections('third_party'), ...remoteEntries];
  const thirdParty = entries.map((entry) => thirdPartySource(entry, defaults));
  root.end();
  remote?.root.end();
  if (defaults.api && wantsApi && !thirdParty.some((source) => source?.deviceName === API_DEVICE)) {
    thirdParty.push(thirdPartySource(root.beside(defaults.api), defaults));
  }
  const sources = [...pc, ...thirdParty.filter((source) => source !== undefined)];
  const taken = new Set(['collector', ...pcGroups.map(({ name }) => name)]);
  entries.forEach((entry, index) => {
    const name = thirdParty[index]?.name;
    if (name === undefined || name === '') return;
    if (taken.has(name))
      entry.mistake('name', `another source is called ${quote(name)}; give this one a name of its own`);
    taken.add(name);
  });
  return sources;
}

function refuseCommands(entries: readonly Section[]): void {
  for (const entry of entries) {
    if (!entry.is('protocol', 'command')) continue;
    entry.mistake(
      'protocol',
      "must not be command: remote.commands of this PC's file does not let the api run programs",
    );
  }
}

function pcSources(root: Section, { deviceName, interval }: Defaults): SourceConfig[] {
  if (root.is('pc', false)) return [];
  const pc = root.section('pc', 'keys and values, or false');
  const every = pc.duration('interval', interval, SHORTEST_INTERVAL, LONGEST_INTERVAL);
  const sources = pcGroups.flatMap((group): SourceConfig[] => {
    if (pc.is(group.name, false)) return [];
    const keys = pc.is(group.name, true)
      ? pc.empty(group.name)
      : pc.section(group.name, 'true, false, or keys and values');
    const timing = timingOf(keys, Math.max(every, shortestInterval(group, process.platform)));
    const make = pcSource(group, keys);
    const create = ({ say }: SourceTools): Source => make({ machine: thisMachine(), say });
    const missing = group.check?.(keys);
    const check = missing && (() => missing(thisMachine()));
    keys.end();
    const identity = `${deviceName} ${every} ${keys.source}`;
    return [{ name: group.name, deviceName, ...timing, identity, create, check }];
  });
  pc.end();
  return sources;
}

function thirdPartySource(entry: Section, defaults: Defaults): SourceConfig | undefined {
  const names = protocols.map(({ name }) => name);
  const protocolName = entry.text('protocol');
  const protocol = protocols.find(({ name }) => name === protocolName);
  const deviceName = entry.text('device');
  const wrongName = deviceNameRule(deviceName);
  if (wrongName !== undefined) entry.mistake('device', wrongName);
  const name = entry.optionalText('name') ?? deviceName;
  const timing = timingOf(entry, defaults.interval);
  if (!protocol) {
    const near = didYouMean(protocolName, names);
    entry.mistake('protocol', `must be one of ${names.join(', ')}, got ${quote(protocolName)}${near}`);
    return undefined;
  }
  const create = protocol.configure(entry, name);
  entry.end();
  return { name, deviceName, ...timing, identity: `${defaults.interval} ${entry.source}`, create };
}

function timingOf(keys: Section, fallback: number): { interval: number; timeout: number } {
  const interval = keys.duration('interval', fallback, SHORTEST_INTERVAL, LONGEST_INTERVAL);
  return { interval, timeout: keys.duration('timeout', DEFAULT_TIMEOUT, 1, LONGEST_TIMEOUT) };
}
