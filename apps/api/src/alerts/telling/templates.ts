import { Liquid } from 'liquidjs';
import { reasonOf } from '@device-metrics/domain';

/** Templates see what is handed to them and nothing else: no files, and no more work than a message is worth. */
const engine = new Liquid({
  ownPropertyOnly: true,
  templates: {},
  parseLimit: 20_000,
  renderLimit: 200,
  memoryLimit: 1_000_000,
});

/** What is wrong with a template; undefined where nothing is. */
export function templateMistake(template: string): string | undefined {
  try {
    engine.parse(template);
    return undefined;
  } catch (error) {
    return `must be a template in Liquid: ${reasonOf(error)}`;
  }
}

/** The text of a template; where it fails, the template itself, so that a mistake never costs the message. */
export function render(template: string, values: object): string {
  try {
    return String(engine.parseAndRenderSync(template, values));
  } catch {
    return template;
  }
}
