import { createRequire } from 'node:module';
import { quote } from '@device-metrics/domain';
import type { Mistakes } from '@device-metrics/settings';
import type * as Yaml from 'yaml';
import { isMapping } from './section.js';

/** Loads what only a configuration file needs: 5 MB. */
const yaml = (): typeof Yaml => createRequire(import.meta.url)('yaml') as typeof Yaml;

/**
 * The keys and values of a YAML text; undefined where it has mistakes, each said by its line, or by `name` where it is one of the
 * whole.
 */
export function readYaml(text: string, name: string, mistakes: Mistakes): Record<string, unknown> | undefined {
  const before = mistakes.list.length;
  const { LineCounter, parseDocument, visit } = yaml();
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const wrongAt = (position: number, reason: string): void => {
    const { line, col } = lines.linePos(position);
    mistakes.add(`line ${line}, column ${col}`, reason);
  };
  for (const { message, pos } of document.errors) wrongAt(pos[0], message);
  visit(document, {
    Alias: (_key, alias, ancestors) => {
      const { source, range } = alias;
      const marked = alias.resolve(document);
      const at = range?.[0] ?? 0;
      if (!marked)
        wrongAt(at, `*${source} stands for what is marked &${source}, which is nowhere; a text needs quotes`);
      else if (ancestors.includes(marked)) wrongAt(at, `*${source} stands within what is marked &${source}`);
    },
  });
  if (mistakes.list.length > before) return undefined;
  let content: unknown;
  try {
    content = document.toJS() ?? {};
  } catch (error) {
    // Too many aliases.
    mistakes.add(name, (error as Error).message);
    return undefined;
  }
  if (isMapping(content)) return content;
  mistakes.add(name, `must be keys and values, got ${quote(content)}`);
  return undefined;
}
