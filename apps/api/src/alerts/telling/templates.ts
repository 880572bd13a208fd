import { createRequire } from 'node:module';
import type * as Liquidjs from 'liquidjs';
import { quote, reasonOf } from '@device-metrics/domain';

const require = createRequire(import.meta.url);
let made: Liquidjs.Liquid | undefined;

/** Templates see what is handed to them and nothing else: no files, and no more work than a message is worth. */
function engine(): Liquidjs.Liquid {
  if (made) return made;
  const { Liquid } = require('liquidjs') as typeof Liquidjs;
  made = new Liquid({
    ownPropertyOnly: true,
    templates: {},
    strictFilters: true,
    parseLimit: 20_000,
    renderLimit: 200,
    memoryLimit: 1_000_000,
  });
  return made;
}

/** Most texts are plain, and need no engine. */
const isPlain = (template: string): boolean => !/\{[{%]/.test(template);

/** What a template may name. */
const NAMES = ['device', 'metric', 'labels', 'tags', 'value', 'level', 'severity', 'rule', 'summary'] as const;

/** The values of what a template may name. */
export type TemplateValues = Readonly<Record<(typeof NAMES)[number], unknown>>;

/** What is wrong with a template; undefined where nothing is. */
export function templateMistake(template: string): string | undefined {
  if (isPlain(template)) return undefined;
  try {
    const parsed = engine().parse(template);
    const unknown = engine()
      .globalVariablesSync(parsed)
      .find((name) => !NAMES.some((one) => one === name));
    if (unknown === undefined) return undefined;
    return `must name only ${NAMES.join(', ')}, got ${quote(unknown)}`;
  } catch (error) {
    return `must be a template in Liquid: ${reasonOf(error)}`;
  }
}

/** The text of a template; where it fails, the template itself, so that a mistake never costs the message. */
export function render(template: string, values: TemplateValues): string {
  if (isPlain(template)) return template;
  try {
    return String(engine().parseAndRenderSync(template, values));
  } catch {
    return template;
  }
}
