/** The parts of an OOXML workbook (ECMA-376) that a table needs. */

export const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';

/** Rows that Excel takes in one sheet, the titles among them. */
export const MAX_ROWS = 1_048_576;
/** Characters that Excel takes in one cell. */
const MAX_TEXT = 32_767;

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** Sheets are what is not named here, since this part is written before anybody knows how many there will be. */
export const CONTENT_TYPES =
  `<Types xmlns="${PACKAGE}/content-types">` +
  '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>' +
  `<Default Extension="xml" ContentType="${TYPE}.worksheet+xml"/>` +
  `<Override PartName="/xl/workbook.xml" ContentType="${TYPE}.sheet.main+xml"/>` +
  `<Override PartName="/xl/styles.xml" ContentType="${TYPE}.styles+xml"/>` +
  `<Override PartName="/xl/sharedStrings.xml" ContentType="${TYPE}.sharedStrings+xml"/>` +
  '</Types>';

const relationships = (targets: readonly (readonly [type: string, target: string])[]): string =>
  `<Relationships xmlns="${PACKAGE}/relationships">` +
  targets
    .map(([type, target], index) => `<Relationship Id="rId${index + 1}" Type="${OFFICE}/${type}" Target="${target}"/>`)
    .join('') +
  '</Relationships>';

export const PACKAGE_RELATIONSHIPS = relationships([['officeDocument', 'xl/workbook.xml']]);

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** The sheets come first, so that the relationship of each has its number. */
export const workbookRelationships = (sheets: number): string =>
  relationships([
    ...numbersTo(sheets).map((sheet) => ['worksheet', `worksheets/sheet${sheet}.xml`] as const),
    ['styles', 'styles.xml'],
    ['sharedStrings', 'sharedStrings.xml'],
  ]);

export const workbookXml = (sheets: number): string =>
  `<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><bookViews><workbookView/></bookViews><sheets>` +
  numbersTo(sheets)
    .map((sheet) => `<sheet name="Report ${sheet}" sheetId="${sheet}" r:id="rId${sheet}"/>`)
    .join('') +
  '</sheets></workbook>';

/** Indexes of the formats of `STYLES`. */
export const Style = { title: 1, text: 2, time: 3 } as const;
export type Style = (typeof Style)[keyof typeof Style];

/** A text has Excel's format for text, so that one that begins with `=` stays a text when somebody edits it. */
export const STYLES =
  `<styleSheet xmlns="${MAIN}">` +
  '<numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss.000"/></numFmts>' +
  '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>' +
  '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>' +
  '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>' +
  '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>' +
  '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>' +
  '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>' +
  '<xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/>' +
  '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>' +
  '<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs>' +
  '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>' +
  '</styleSheet>';

/** Up to its rows: the titles stay in view, and every column is as wide as a time. */
export const sheetStart = (columns: number): string =>
  `<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0">` +
  '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>' +
  `<cols><col min="1" max="${columns}" width="24" customWidth="1"/></cols><sheetData>`;

export const SHEET_END = '</sheetData></worksheet>';

/** `A` for 0, `Z` for 25, `AA` for 26. */
export function columnName(index: number): string {
  const letter = String.fromCharCode(65 + (index % 26));
  return index < 26 ? letter : columnName(Math.floor(index / 26) - 1) + letter;
}

const hex = (code: number): string => code.toString(16).toUpperCase().padStart(4, '0');
const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * A text between tags, cut to what a cell takes. Characters that XML has no way to say are written as Excel does,
 * `_x0001_`, and so is the `_` of a text that only looks like that.
 */
export function textXml(text: string): string {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT - 1)}…` : text;
  return (
    short
      .replace(/\p{Cs}/gu, '\uFFFD')
      .replace(/_(?=x[0-9A-Fa-f]{4}_)/g, '_x005F_')
      // eslint-disable-next-line no-control-regex -- these are what it is about
      .replace(/[\0-\x08\x0B-\x1F\uFFFE\uFFFF]/g, (character) => `_x${hex(character.charCodeAt(0))}_`)
      .replace(/[&<>]/g, (character) => ENTITIES[character] as string)
  );
}
