/** What a report can be answered in. */
export const FORMATS = ['json', 'csv', 'ndjson', 'xlsx'] as const;
export type Format = (typeof FORMATS)[number];

export const MEDIA_TYPES: Record<Format, string> = {
  json: 'application/json',
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** The format that `format` names, else the one that the header Accept likes best, and names first, else JSON. */
export function formatOf(format: Format | undefined, accept = ''): Format {
  if (format) return format;
  let best: Format = 'json';
  let bestQuality = 0;
  for (const range of accept.toLowerCase().split(',')) {
    const [type, ...parameters] = range.split(';').map((part) => part.trim());
    const found = FORMATS.find((candidate) => MEDIA_TYPES[candidate] === type);
    const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    if (found && quality > bestQuality) [best, bestQuality] = [found, quality];
  }
  return best;
}
