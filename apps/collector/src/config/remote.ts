import { Mistakes, readIfThere } from '@device-metrics/settings';
import { filledIn, lookupIn, type Lookup, type Surroundings } from './placeholders.js';
import { Redactor } from './redact.js';
import { Section } from './section.js';
import { sourcesOf, type RemoteRoot } from './sources.js';
import { readYaml } from './yaml-text.js';

/** What `remote` of this PC's own file lets a configuration of the api do. */
export interface Allowance {
  /** Whether it may name programs to run. */
  readonly commands: boolean;
  /** What may stand in its `${…}`, as `NAME` or `file:PATH`. */
  readonly secrets: readonly string[];
}

/** What the api has for this PC: the text of a `collector.yaml`, and by what it is known to be another one. */
export interface RemoteText {
  readonly version: string;
  readonly text: string;
}

/** What is kept on disk of it: the last that was right, and what came since and was not taken. */
export interface KeptRemote extends RemoteText {
  /** It is tried out now; one that is still there at a start has ended the collector. */
  readonly trying?: string | undefined;
  readonly refused?: { readonly version: string; readonly reason: string; readonly at: number } | undefined;
}

/** How the configuration of the api stands beside this PC's own. */
export interface Remote {
  readonly allows: Allowance;
  /** Where it is kept. */
  readonly file: string;
  /** Of the text that counts; empty: none. */
  readonly version: string;
  /** What is wrong in that text, so that this PC's own file counts alone. */
  readonly mistakes: readonly string[];
}

/** `remote` of this PC's own file; undefined: the api has no say. */
export function readAllowance(root: Section): Allowance | undefined {
  if (root.is('remote', true)) return { commands: false, secrets: [] };
  if (!root.has('remote') || root.is('remote', false)) return undefined;
  const keys = root.section('remote', 'true, false, or keys and values');
  const allows = { commands: keys.flag('commands', false), secrets: keys.texts('secrets', []) };
  keys.end();
  return allows;
}

export function readKeptRemote(file: string): KeptRemote | undefined {
  const text = readIfThere(file, () => undefined);
  if (text === undefined) return undefined;
  try {
    const kept = JSON.parse(text) as KeptRemote;
    return typeof kept.version === 'string' && typeof kept.text === 'string' ? kept : undefined;
  } catch {
    // Written whole or not at all: somebody else wrote it. The api is asked again.
    return undefined;
  }
}

/** A text of the api, with secrets of this PC where they are allowed. */
export function readRemote(
  text: string,
  { allows, ...surroundings }: Surroundings & { readonly allows: Allowance },
  mistakes: Mistakes,
  redactor: Redactor,
): RemoteRoot {
  const lookup = onlyAllowed(allows.secrets, lookupIn(surroundings, mistakes, redactor), mistakes);
  return rootOf(text, lookup, allows.commands, mistakes, redactor);
}

/**
 * What is wrong in a text that an api is to give to PCs, as far as that does not depend on what their `${…}` stand for.
 *
 * @param allows what a PC lets it do; undefined: all, as that is another thing on each.
 */
export function mistakesOfRemote(text: string, allows: Allowance | undefined): string[] {
  const unknown = new Set<string>();
  const mistakes = new MistakesBut(unknown);
  const redactor = new Redactor();
  const asItIs: Lookup = (name, path) => {
    unknown.add(path);
    return `\${${name}}`;
  };
  const lookup = allows ? onlyAllowed(allows.secrets, asItIs, mistakes) : asItIs;
  const remote = rootOf(text, lookup, allows?.commands ?? true, mistakes, redactor);
  sourcesOf(new Section({}, '', mistakes), { deviceName: 'pc', interval: 10_000, api: undefined }, remote);
  return mistakes.list.map((mistake) => redactor.redact(mistake));
}

function rootOf(text: string, lookup: Lookup, commands: boolean, mistakes: Mistakes, redactor: Redactor): RemoteRoot {
  const content = readYaml(text, 'the text', mistakes) ?? {};
  const root = new Section(filledIn(content, '', lookup), '', mistakes, (secret) => redactor.add(secret));
  return { root, commands };
}

const onlyAllowed =
  (secrets: readonly string[], lookup: Lookup, mistakes: Mistakes): Lookup =>
  (name, path) => {
    if (secrets.includes(name)) return lookup(name, path);
    mistakes.add(path, `\${${name}} is not allowed to the api; its name in remote.secrets of this PC's file allows it`);
    return '';
  };

/** Without mistakes in values that nobody knows here. */
class MistakesBut extends Mistakes {
  constructor(private readonly unknown: ReadonlySet<string>) {
    super();
  }

  override add(name: string, reason: string): void {
    if (!this.unknown.has(name)) super.add(name, reason);
  }
}
