import { isNumber } from './pieces.js';

/** Texts of one row of RFC 4180 with commas between them, quoted where it asks for that. */
export const fields = (texts: readonly string[]): string => texts.map(field).join(',');

/**
 * An apostrophe goes before a text that a spreadsheet would take for a formula: names come from devices, which nobody has
 * to trust. It goes before one that begins with an apostrophe too, so that whoever reads takes one away and has the text.
 */
function field(text: string): string {
  const safe = /^[=+\-@\t\r']/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A byte order mark. */
export const BOM = '\uFEFF';

export const csvNumber = (value: number | null | undefined): string => (isNumber(value) ? String(value) : '');
