import type { Section } from '../config/section.js';
import type { Source, SourceTools } from '../run/source.js';

/** How a kind of third-party device is read; one folder each. */
export interface Protocol {
  /** As in `protocol: http-json`. */
  readonly name: string;

  /**
   * Reads the keys of its own; `protocol`, `device`, `name`, `interval` and `timeout` have been read. What is wrong goes to
   * `keys`, and nothing starts then. The result makes the source, under the given name.
   */
  configure(keys: Section, name: string): (tools: SourceTools) => Source;
}
