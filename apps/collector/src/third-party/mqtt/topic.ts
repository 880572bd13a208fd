/** A topic with names in braces, as in `tele/{device}/SENSOR`. */
export interface TopicPattern {
  /** What the broker is asked for: every name is a `+`. */
  readonly filter: string;
  readonly names: readonly string[];
  /** The texts of the names; undefined for a topic that does not fit. */
  readonly match: (topic: string) => Readonly<Record<string, string>> | undefined;
}

const NAME = /^\{([a-z_][a-z0-9_]*)\}$/i;

/**
 * The pattern of a topic. A level is a text, a name in braces, or `+` for any; the last one may be `#` for any number of levels.
 *
 * @throws Error that says what is wrong.
 */
export function parseTopic(text: string): TopicPattern {
  const levels = text.split('/').map((level, index, all) => {
    const name = NAME.exec(level)?.[1];
    if (name === undefined && level !== '+' && level !== '#' && /[{}+#]/.test(level)) {
      throw new Error(
        `must have {name}, + and # alone in a level, as in tele/{device}/SENSOR, got ${JSON.stringify(level)}`,
      );
    }
    if (level === '#' && index < all.length - 1) throw new Error('may have # at its end only');
    return { level, name };
  });
  const names = levels.flatMap(({ name }) => (name === undefined ? [] : [name]));
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) throw new Error(`has {${twice}} twice`);
  const open = text.endsWith('#');
  const fixed = open ? levels.slice(0, -1) : levels;
  return {
    names,
    filter: levels.map(({ level, name }) => (name === undefined ? level : '+')).join('/'),
    match: (topic) => {
      const parts = topic.split('/');
      if (open ? parts.length < fixed.length : parts.length !== fixed.length) return undefined;
      const fits = fixed.every(({ level, name }, index) => {
        return name !== undefined ? parts[index] !== '' : level === '+' || level === parts[index];
      });
      if (!fits) return undefined;
      return Object.fromEntries(
        fixed.flatMap(({ name }, index) => (name === undefined ? [] : [[name, parts[index] ?? '']])),
      );
    },
  };
}
