import { Readable, type PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { ZipFile } from 'yazl';
import { DAY } from '@device-metrics/domain';
import {
  columnName,
  CONTENT_TYPES,
  MAX_ROWS,
  PACKAGE_RELATIONSHIPS,
  SHEET_END,
  sheetStart,
  STYLES,
  Style,
  textXml,
  workbookRelationships,
  workbookXml,
  XML,
} from './xlsx-parts.js';

/** A text, a number, a time, or nothing. */
export type Cell = string | number | Date | null;

/** Speed counts for more than bytes: level 1 takes half the time of the default for a quarter more bytes. */
const COMPRESSION = { compressionLevel: 1 };

/**
 * A workbook, written as its rows come: of a sheet that Excel would open only some rows are in memory, of all sheets the
 * texts, each once. More rows than a sheet can have go on in a next one.
 *
 * Written by hand, since an OOXML sheet is little, and the libraries that write it keep the rows in memory or take three
 * times the CPU; the archive around it is the library's.
 *
 * @param pieces rows, some at a time.
 */
export async function* xlsx(
  titles: readonly string[],
  pieces: AsyncIterable<readonly (readonly Cell[])[]>,
  maxRows = MAX_ROWS,
): AsyncGenerator<Uint8Array> {
  const yazl = await import('yazl');
  const zip = new yazl.ZipFile();
  const output = zip.outputStream as PassThrough;
  const rows = new Rows(pieces);
  writeParts(zip, titles, rows, maxRows)
    .finally(() => rows.end())
    .catch((error: Error) => output.destroy(error));
  yield* output as AsyncIterable<Uint8Array>;
}

async function writeParts(zip: ZipFile, titles: readonly string[], rows: Rows, maxRows: number): Promise<void> {
  const small = (name: string, xml: string): void => zip.addBuffer(Buffer.from(XML + xml), name);
  small('[Content_Types].xml', CONTENT_TYPES);
  small('_rels/.rels', PACKAGE_RELATIONSHIPS);
  small('xl/styles.xml', STYLES);
  const texts = new SharedTexts();
  let sheets = 0;
  do {
    sheets += 1;
    await large(zip, `xl/worksheets/sheet${sheets}.xml`, sheet(titles, rows, texts, maxRows));
  } while (await rows.hasMore());
  await large(zip, 'xl/sharedStrings.xml', texts.xml());
  small('xl/workbook.xml', workbookXml(sheets));
  small('xl/_rels/workbook.xml.rels', workbookRelationships(sheets));
  zip.end();
}

/** Resolves once the part has been read to its end; it is given up when nobody reads the archive any more. */
async function large(zip: ZipFile, name: string, xml: Iterable<string> | AsyncIterable<string>): Promise<void> {
  const part = Readable.from(xml, { objectMode: false });
  const output = zip.outputStream as PassThrough;
  const giveUp = (): unknown => part.destroy();
  output.once('close', giveUp);
  if (output.destroyed) giveUp();
  zip.addReadStream(part, name, COMPRESSION);
  await finished(part);
  output.off('close', giveUp);
}

async function* sheet(
  titles: readonly string[],
  rows: Rows,
  texts: SharedTexts,
  maxRows: number,
): AsyncGenerator<string> {
  const columns = titles.map((_, index) => columnName(index));
  yield XML + sheetStart(titles.length);
  yield rowXml(1, titles, columns, texts, Style.title);
  for (let row = 2; row <= maxRows;) {
    const some = await rows.take(maxRows - row + 1);
    if (!some) break;
    let xml = '';
    for (const cells of some) xml += rowXml(row++, cells, columns, texts, Style.text);
    yield xml;
  }
  yield SHEET_END;
}

function rowXml(
  row: number,
  cells: readonly Cell[],
  columns: readonly string[],
  texts: SharedTexts,
  textStyle: Style,
): string {
  let xml = `<row r="${row}">`;
  for (let index = 0; index < cells.length; index += 1) {
    const cell = cells[index] as Cell;
    if (typeof cell === 'number') {
      // What Excel has no number for stays empty.
      if (Number.isFinite(cell)) xml += `<c r="${columns[index]}${row}"><v>${cell}</v></c>`;
    } else if (typeof cell === 'string') {
      xml += `<c r="${columns[index]}${row}" s="${textStyle}" t="s"><v>${texts.indexOf(cell)}</v></c>`;
    } else if (cell) {
      xml += `<c r="${columns[index]}${row}" s="${Style.time}"><v>${serialDay(cell.getTime())}</v></c>`;
    }
  }
  return `${xml}</row>`;
}

/** Days from Excel's day 0 to the Unix epoch. */
const EPOCH = 25_569;

/** A time (Unix ms, UTC) as Excel counts it: days and parts of a day. */
const serialDay = (time: number): number => EPOCH + time / DAY;

/** The texts of a workbook, each once: cells have their number. */
class SharedTexts {
  private readonly indexes = new Map<string, number>();

  indexOf(text: string): number {
    let index = this.indexes.get(text);
    if (index === undefined) {
      index = this.indexes.size;
      this.indexes.set(text, index);
    }
    return index;
  }

  *xml(): Generator<string> {
    yield `${XML}<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">`;
    for (const text of this.indexes.keys()) yield `<si><t xml:space="preserve">${textXml(text)}</t></si>`;
    yield '</sst>';
  }
}

/** Takes rows out of pieces, at most so many at a time. */
class Rows {
  private readonly pieces: AsyncIterator<readonly (readonly Cell[])[]>;
  private left: readonly (readonly Cell[])[] = [];

  constructor(pieces: AsyncIterable<readonly (readonly Cell[])[]>) {
    this.pieces = pieces[Symbol.asyncIterator]();
  }

  /** Lets go of what the pieces hold. */
  async end(): Promise<void> {
    await this.pieces.return?.();
  }

  async hasMore(): Promise<boolean> {
    while (this.left.length === 0) {
      const next = await this.pieces.next();
      if (next.done) return false;
      this.left = next.value;
    }
    return true;
  }

  async take(most: number): Promise<readonly (readonly Cell[])[] | undefined> {
    if (!(await this.hasMore())) return undefined;
    const taken = this.left.length <= most ? this.left : this.left.slice(0, most);
    this.left = this.left.slice(taken.length);
    return taken;
  }
}
