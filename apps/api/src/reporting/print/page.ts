import { markup, Markup } from './markup.js';
import { DARK_LINES } from './svg-chart.js';

/** Lets a page have its own styles and nothing else: no script, no image, no font, no connection, no form, no frame. */
export const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const STYLE = new Markup(`
:root { color-scheme: light; --paper: #fff; --ink: #1c2430; --soft: #48556a; --rule: #dfe4ea; --grid: #e3e7ed; --link: #9aa5b4;
  --good: #15803d; --warn: #92600a; --bad: #be123c; --bar: #0b57a4; }
* { box-sizing: border-box; }
html { background: var(--paper); -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; padding: 24px; max-width: 920px; background: var(--paper); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", "DejaVu Sans", sans-serif; }
h1, h2, p, th, td, dd { overflow-wrap: anywhere; }
h1 { margin: 0 0 4px; font-size: 24px; line-height: 1.25; }
h2 { margin: 28px 0 8px; font-size: 17px; }
a { color: inherit; text-decoration-color: var(--link); text-underline-offset: 2px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0 0 16px; color: var(--soft); }
dd { margin: 0; color: var(--ink); }
.note { color: var(--soft); font-size: 13px; }
.online { color: var(--good); } .late { color: var(--warn); } .offline { color: var(--bad); }
table { width: 100%; border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
thead { display: table-header-group; }
tr { break-inside: avoid; page-break-inside: avoid; }
th { font-weight: 600; text-align: left; vertical-align: bottom; }
thead th { border-bottom: 1.5px solid var(--ink); }
tbody th { font-weight: 400; }
tbody th .note { font-size: 12px; }
th, td { padding: 3px 10px 3px 0; vertical-align: top; }
tbody th, td { border-bottom: 1px solid var(--rule); }
.number { text-align: right; white-space: nowrap; }
.states { text-align: right; }
.time { padding-right: 0; text-align: right; white-space: nowrap; }
figure { margin: 22px 0 0; break-inside: avoid; page-break-inside: avoid; }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; column-gap: 10px; break-after: avoid; }
figcaption h3 { margin: 0; font-size: 14.5px; overflow-wrap: anywhere; }
svg.chart { display: block; width: 100%; height: auto; margin-top: 4px; overflow: visible; }
svg.chart text { font-size: 10.5px; fill: var(--soft); }
svg .axis { stroke: var(--ink); fill: none; }
svg .grid { stroke: var(--grid); fill: none; }
svg.bar { display: inline-block; width: 100%; min-width: 60px; height: 9px; }
svg.bar .whole { fill: var(--grid); } svg.bar .part { fill: var(--bar); }
.glance { max-width: 640px; }
.glance thead th { border-bottom: 0; color: var(--soft); font-weight: 400; }
.glance tbody th { font-weight: 600; width: 38%; }
.glance .wide { width: 26%; }
.summary th:first-child { width: 33%; }
/* A unit may have 63 characters. */
.summary td.number, .legend td.number { max-width: 9em; white-space: normal; overflow-wrap: break-word; }
.legend { width: auto; margin: 2px 0 0 54px; font-size: 12px; }
.legend thead th { border-bottom: 0; color: var(--soft); font-weight: 400; }
.legend th, .legend td { padding: 1px 18px 1px 0; border-bottom: 0; }
svg.sample { width: 40px; height: 8px; vertical-align: middle; }
@media screen and (max-width: 640px) {
  body { padding: 14px 12px; }
  .extra { display: none; }
  th, td { padding-right: 6px; }
  dl { gap: 1px 10px; font-size: 13px; }
  table { font-size: 12px; }
  .summary th:first-child { width: 38%; }
  .summary td.number, .legend td.number { max-width: 6em; }
  svg.chart text.symbol { transform: translateY(-7px); }
  .legend { width: 100%; margin-left: 0; } .legend th, .legend td { padding-right: 8px; }
  svg.sample { width: 22px; }
  svg.chart { margin: 8px 0 10px; }
  svg.chart text { font-size: 20px; }
  svg.chart text.odd { display: none; }
}
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --paper: #11161d; --ink: #e6ebf2; --soft: #a3afc0; --rule: #2b3541; --grid: #28313c; --link: #6d7b8d;
    --good: #4ade80; --warn: #e0b84a; --bad: #ff7a95; --bar: #6ea8fe; }
  ${DARK_LINES}
}
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
