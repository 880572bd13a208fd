import { isNumber } from './pieces.js';

/** Texts of one row of RFC 4180 with commas between them, quoted where it asks for that. */
export const fields = (texts: readonly string[]): string => texts.map(field).join(',');

/**
 * Quoted also where a spreadsheet would take the text for a formula, with an apostrophe before it: names come from
 * devices, which nobody has to trust.
 */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export const csvNumber = (value: number | null | undefined): string => (isNumber(value) ? String(value) : '');
