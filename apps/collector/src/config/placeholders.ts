import { resolve } from 'node:path';
import { readIfThere, type Environment, type Mistakes } from '@device-metrics/settings';
import type { Redactor } from './redact.js';

/** Keys whose value is no secret though it came from the environment: they name things in the log. */
const PUBLIC_KEYS = /(^|\.)(device|name|protocol|interval|timeout)$/;

/** Replaces `${NAME}` by a variable of the environment and `${file:PATH}` by the content of a file. */
export class Placeholders {
  constructor(
    private readonly environment: Environment,
    private readonly folder: string,
    private readonly mistakes: Mistakes,
    private readonly redactor: Redactor,
  ) {}

  in(value: unknown, path: string): unknown {
    if (typeof value === 'string') return this.inText(value, path);
    if (Array.isArray(value)) return value.map((item, index) => this.in(item, `${path}[${index}]`));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => {
      return [key, this.in(item, path === '' ? key : `${path}.${key}`)] as const;
    });
    return Object.fromEntries(entries);
  }

  private inText(text: string, path: string): string {
    return text.replace(/\$\{([^}]*)\}/g, (_whole, name: string) => {
      const value = name.startsWith('file:') ? this.fromFile(name.slice(5), path) : this.fromEnvironment(name, path);
      if (!PUBLIC_KEYS.test(path)) this.redactor.add(value);
      return value;
    });
  }

  private fromEnvironment(name: string, path: string): string {
    const value = this.environment[name];
    if (value === undefined) this.mistakes.add(path, `\${${name}} is not set in the environment`);
    return value ?? '';
  }

  private fromFile(name: string, path: string): string {
    const file = resolve(this.folder, name);
    const content = readIfThere(file, (reason) => this.mistakes.add(path, `\${file:${name}}: ${reason}`));
    if (content === undefined) this.mistakes.add(path, `\${file:${name}}: there is no such file`);
    return (content ?? '').trim();
  }
}
