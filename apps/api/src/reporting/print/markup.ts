/** Text that is HTML or SVG already. */
export class Markup {
  constructor(readonly text: string) {}
}

type Part = string | number | Markup | readonly Markup[];

/**
 * A template of HTML or SVG: `` markup`<td>${name}</td>` ``. Everything that is put in is escaped, for elements and for
 * quoted attributes alike, unless it is `Markup`.
 */
export function markup(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(texts.reduce((text, next, index) => text + textOf(parts[index - 1] ?? '') + next));
}

function textOf(part: Part): string {
  if (part instanceof Markup) return part.text;
  return typeof part === 'object' ? part.map(({ text }) => text).join('') : escape(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Also of what no XML may hold: control characters, halves of surrogate pairs and the two noncharacters. */
const escape = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '').replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '\uFFFD');
