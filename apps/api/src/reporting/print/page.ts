import { markup, Markup } from './markup.js';

/** Lets a page have its own styles and nothing else: no script, no image, no font, no connection, no form, no frame. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE = new Markup(`
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 920px; background: #fff; color: #1c2430;
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif; }
h1, h2, p, th, td, dd { overflow-wrap: anywhere; }
h1 { margin: 0 0 4px; font-size: 24px; line-height: 1.25; }
h2 { margin: 28px 0 8px; font-size: 17px; }
a { color: inherit; text-decoration-color: #9aa5b4; text-underline-offset: 2px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0 0 16px; color: #48556a; }
dd { margin: 0; color: #1c2430; }
.note { color: #48556a; font-size: 13px; }
table { width: 100%; border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
thead { display: table-header-group; }
tr { break-inside: avoid; page-break-inside: avoid; }
th { font-weight: 600; text-align: left; vertical-align: bottom; }
thead th { border-bottom: 1.5px solid #1c2430; }
tbody th { font-weight: 400; }
th, td { padding: 3px 10px 3px 0; vertical-align: top; }
tbody th, td { border-bottom: 1px solid #dfe4ea; }
.number { text-align: right; white-space: nowrap; }
.time { padding-right: 0; text-align: right; white-space: nowrap; }
figure { margin: 22px 0 0; break-inside: avoid; page-break-inside: avoid; }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; column-gap: 10px; break-after: avoid; }
figcaption h3 { margin: 0; font-size: 14.5px; overflow-wrap: anywhere; }
svg.chart { display: block; width: 100%; height: auto; margin-top: 4px; }
svg.chart text { font-size: 10.5px; fill: #48556a; }
svg .axis { stroke: #1c2430; fill: none; }
svg .grid { stroke: #e3e7ed; fill: none; }
.summary th:first-child { width: 33%; }
.legend { width: auto; margin: 2px 0 0 54px; font-size: 12px; }
.legend thead th { border-bottom: 0; color: #48556a; font-weight: 400; }
.legend th, .legend td { padding: 1px 18px 1px 0; border-bottom: 0; }
svg.sample { width: 40px; height: 8px; vertical-align: middle; }
@page { size: A4; margin: 14mm 14mm 16mm; }
@media print {
  body { padding: 0; max-width: none; font-size: 10pt; -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  h1 { font-size: 18pt; }
  h2 { font-size: 13pt; break-after: avoid; page-break-after: avoid; }
  a { text-decoration: none; }
  table { font-size: 9pt; }
  figcaption h3 { font-size: 10.5pt; }
  .note { font-size: 9pt; }
  .legend { font-size: 8.5pt; }
}
`);

/** What a page begins with: everything up to its heading. */
export const pageStart = (title: string): Markup => markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="generator" content="${GENERATOR}">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_SECURITY_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
`;

export const PAGE_END = markup`</body>
</html>
`;

/** By which a file says that this program made it. */
export const GENERATOR = 'Device Metrics report';
