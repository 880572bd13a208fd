import { resolve } from 'node:path';
import { readIfThere, type Environment, type Mistakes } from '@device-metrics/settings';
import type { Redactor } from './redact.js';

/** Keys whose value is no secret though it came from the environment: they name things in the log. */
const PUBLIC_KEYS = /(^|\.)(device|name|protocol|interval|timeout)$/;

/** Gives what `name` stands for in the value at `path`, or says there what is wrong with it. */
export type Lookup = (name: string, path: string) => string;

/** A value of a file with every `${…}` in its texts replaced. */
export function filledIn(value: unknown, path: string, lookup: Lookup): unknown {
  if (typeof value === 'string') return value.replace(/\$\{([^}]*)\}/g, (_whole, name: string) => lookup(name, path));
  if (Array.isArray(value)) return value.map((item, index) => filledIn(item, `${path}[${index}]`, lookup));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, item]) => {
    return [key, filledIn(item, path === '' ? key : `${path}.${key}`, lookup)] as const;
  });
  return Object.fromEntries(entries);
}

/** Where `${NAME}` and `${file:PATH}` come from. */
export interface Surroundings {
  readonly environment: Environment;
  /** Of files whose path is relative. */
  readonly folder: string;
}

/** `${NAME}` is a variable of the environment, and `${file:PATH}` the content of a file. */
export function lookupIn({ environment, folder }: Surroundings, mistakes: Mistakes, redactor: Redactor): Lookup {
  const fromEnvironment = (name: string, path: string): string => {
    const value = environment[name];
    if (value === undefined) mistakes.add(path, `\${${name}} is not set in the environment`);
    return value ?? '';
  };
  const fromFile = (name: string, path: string): string => {
    const file = resolve(folder, name);
    const content = readIfThere(file, (reason) => mistakes.add(path, `\${file:${name}}: ${reason}`));
    if (content === undefined) mistakes.add(path, `\${file:${name}}: there is no such file`);
    return (content ?? '').trim();
  };
  return (name, path) => {
    const value = name.startsWith('file:') ? fromFile(name.slice(5), path) : fromEnvironment(name, path);
    if (!PUBLIC_KEYS.test(path)) redactor.add(value);
    return value;
  };
}
