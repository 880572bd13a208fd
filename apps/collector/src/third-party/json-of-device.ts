/** What programs write for a number that they have not, though JSON has no word for it; and texts, in which it may stand. */
const TEXT_OR_NO_NUMBER = /"[^"\\]*(?:\\[^][^"\\]*)*"|[-+]?\b(?:nan|inf|infinity)\b/gi;

/**
 * The value of a JSON text. `NaN`, `nan`, `Infinity` and `-inf` in it, as Python and printf write them, are null: one value that a
 * sensor has not costs none of the others.
 *
 * @throws SyntaxError that says where it is no JSON.
 */
export function jsonOfDevice(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const without = text.replace(TEXT_OR_NO_NUMBER, (found) => (found.startsWith('"') ? found : 'null'));
    if (without === text) throw error;
    return JSON.parse(without);
  }
}
