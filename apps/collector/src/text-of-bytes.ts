import { isUtf8 } from 'node:buffer';
import { TextDecoder } from 'node:util';

const UTF_8 = new TextDecoder();
const WINDOWS_1252 = new TextDecoder('windows-1252');

/**
 * The text that a device or a program means by bytes. Lines that are not UTF-8, as of devices that never heard of it, are
 * Windows-1252: whatever else they may be, texts that differ stay apart. Without a byte order mark and the zeros that end the texts of
 * programs in C.
 *
 * @param charset that it says itself; one that nobody knows counts for nothing.
 */
export function textOfBytes(bytes: Buffer, charset?: string): string {
  const text = decoderOf(charset)?.decode(bytes) ?? (isUtf8(bytes) ? UTF_8.decode(bytes) : lineByLine(bytes));
  return text.endsWith('\0') ? text.replace(/\0+$/, '') : text;
}

/** The charset of a content type such as `application/json; charset=ISO-8859-1`. */
export const charsetOf = (contentType = ''): string | undefined =>
  /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1];

/** Undefined for UTF-8 too, which many say who send something else. */
function decoderOf(charset: string | undefined): TextDecoder | undefined {
  if (charset === undefined) return undefined;
  try {
    const decoder = new TextDecoder(charset);
    return decoder.encoding === 'utf-8' ? undefined : decoder;
  } catch {
    return undefined;
  }
}

function lineByLine(bytes: Buffer): string {
  const lines: string[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf('\n', start) + 1 || bytes.length;
    const line = bytes.subarray(start, end);
    lines.push((isUtf8(line) ? UTF_8 : WINDOWS_1252).decode(line));
    start = end;
  }
  return lines.join('');
}
