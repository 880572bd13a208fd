import { inflateRawSync } from 'node:zlib';

/** A cell as its XML has it: text, number, or time (Unix ms) by its format. */
export type WorkbookCell = { text: string } | { number: number } | { time: number };

/** Rows of a sheet by number, cells by the letters of their column. */
export type WorkbookSheet = Record<string, Record<string, WorkbookCell>>;

/** Reads a workbook back with nothing of what wrote it: the archive by its directory, the parts by their relationships. */
export function readWorkbook(bytes: Buffer): { parts: Map<string, string>; sheets: Map<string, WorkbookSheet> } {
  const parts = unzip(bytes);
  const part = (name: string): string => {
    const text = parts.get(name);
    if (text === undefined) throw new Error(`no ${name} in ${[...parts.keys()].join(', ')}`);
    return text;
  };
  const targets = new Map(
    [...part('xl/_rels/workbook.xml.rels').matchAll(/<Relationship Id="(.*?)".*?Target="(.*?)"/g)].map(([, id, to]) => [
      id,
      `xl/${to}`,
    ]),
  );
  const texts = [...part('xl/sharedStrings.xml').matchAll(/<si><t.*?>(.*?)<\/t><\/si>/gs)].map(([, text]) =>
    plain(text ?? ''),
  );
  const formats = [...(/<cellXfs.*<\/cellXfs>/.exec(part('xl/styles.xml'))?.[0] ?? '').matchAll(/numFmtId="(\d+)"/g)];
  const isTime = (style: string | undefined): boolean => Number(formats[Number(style ?? 0)]?.[1]) >= 164;
  const sheets = new Map<string, WorkbookSheet>();
  for (const [, name, id] of part('xl/workbook.xml').matchAll(/<sheet name="(.*?)".*?r:id="(.*?)"\/>/g)) {
    sheets.set(name ?? '', readSheet(part(targets.get(id) ?? ''), texts, isTime));
  }
  return { parts, sheets };
}

function readSheet(xml: string, texts: readonly string[], isTime: (style?: string) => boolean): WorkbookSheet {
  const rows: WorkbookSheet = {};
  const pattern = /<c r="([A-Z]+)(\d+)"(?: s="(\d+)")?( t="s")?><v>(.*?)<\/v><\/c>/g;
  for (const [, column, row, style, isText, value] of xml.matchAll(pattern)) {
    const cells = (rows[row ?? ''] ??= {});
    if (isText) cells[column ?? ''] = { text: texts[Number(value)] ?? '' };
    else if (isTime(style)) cells[column ?? ''] = { time: Math.round((Number(value) - 25_569) * 86_400_000) };
    else cells[column ?? ''] = { number: Number(value) };
  }
  return rows;
}

const plain = (xml: string): string =>
  xml
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&')
    .replace(/_x([0-9A-F]{4})_/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

const unzip = (bytes: Buffer): Map<string, string> =>
  new Map([...entries(bytes)].map(([name, data]) => [name, inflateRawSync(data).toString()]));

/** The names of an archive and their deflated bytes, by its directory. */
export function* entries(bytes: Buffer): Generator<[name: string, deflated: Buffer]> {
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06'));
  if (end < 0) throw new Error('not a whole archive');
  let at = bytes.readUInt32LE(end + 16);
  for (let count = bytes.readUInt16LE(end + 10); count > 0; count -= 1) {
    const size = bytes.readUInt32LE(at + 20);
    const nameLength = bytes.readUInt16LE(at + 28);
    const local = bytes.readUInt32LE(at + 42);
    const data = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    yield [bytes.toString('utf8', at + 46, at + 46 + nameLength), bytes.subarray(data, data + size)];
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
}
