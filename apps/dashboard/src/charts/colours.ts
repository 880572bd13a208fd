/** How many colours there are that can be told apart; the lines beyond them are told apart by dashes too. */
const COLOURS = 8;

/** The grey for what is left over, as idle time and free space. */
export const QUIET = 7;

/** The name of the style's variable for the nth line. */
export const colourName = (index: number): string => `--c${(index % COLOURS) + 1}`;

/** The dashes of the nth line; none for the first eight. */
export const dashOf = (index: number): number[] => {
  const round = Math.floor(index / COLOURS);
  return round === 0 ? [] : round === 1 ? [6, 3] : [2, 3];
};

/** The dashes of a line of the time before. */
export const BEFORE = [3, 4];

/** The colours as they are now: they follow the system's wish for light or dark. */
export function currentColours(): {
  line: string;
  text: string;
  soft: string;
  surface: string;
  warn: string;
  bad: string;
  of: (index: number) => string;
} {
  const probe = document.createElement('span');
  probe.hidden = true;
  document.body.append(probe);
  const read = (name: string): string => {
    // The variables hold light-dark(), which only a property of an element resolves.
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const all = Array.from({ length: COLOURS }, (_, index) => read(colourName(index)));
  const colours = {
    line: read('--line'),
    text: read('--text'),
    soft: read('--soft'),
    surface: read('--surface'),
    warn: read('--warn'),
    bad: read('--bad'),
    of: (index: number) => all[index % COLOURS] ?? '',
  };
  probe.remove();
  return colours;
}

/** A colour of `currentColours` that lets others through. */
export const faded = (colour: string, alpha: number): string =>
  colour.replace(/^rgb\(([^)]+)\)$/, (_, parts: string) => `rgba(${parts}, ${alpha})`);
