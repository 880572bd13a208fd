import { quote } from './sample-rules.js';

/** `; did you mean "url"?` where one of the known words is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known, ({ length }) => Math.min(length - 1, Math.max(1, Math.floor(length / 3))));
  return near === undefined ? '' : `; did you mean ${quote(near)}?`;
}

/** From how many letters on a name may differ in two of them. */
const LONG = 8;

/**
 * The known name that somebody most likely meant; undefined where `name` seems to be another thing. People rarely mistake the first
 * letter: `SERVICE_NAME` is another thing than `DEVICE_NAME`.
 */
export function misspeltFor(name: string, known: readonly string[]): string | undefined {
  const initial = (text: string): string => text.charAt(0).toLowerCase();
  return nearest(name, known, (one) => (initial(one) !== initial(name) ? -1 : one.length < LONG ? 1 : 2));
}

/** The one of the known words that takes the fewest changes of a letter to get to, and at most as many as `most` says of it. */
function nearest(word: string, known: readonly string[], most: (candidate: string) => number): string | undefined {
  return known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= most(candidate))
    .sort((a, b) => a.distance - b.distance)[0]?.candidate;
}

/** How many letters must be added, removed, replaced or exchanged with the next one to make `b` of `a`. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const exchanged = isExchanged ? (before[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, exchanged, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length] ?? 0;
}
