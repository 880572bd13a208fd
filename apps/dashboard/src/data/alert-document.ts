/** What is set up for alerts is a document, as docs/alerts.md describes it: forms read and write its keys by path. */
export type Document = Readonly<Record<string, unknown>>;

const isDocument = (value: unknown): value is Document =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What stands at a path such as `condition.above`. */
export function valueAt(document: Document, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (isDocument(value) ? value[key] : undefined), document);
}

/** The document with another value at a path; undefined takes the key out, and what is empty then. */
export function withValue(document: Document, path: string, value: unknown): Document {
  const [key = '', ...rest] = path.split('.');
  const before = document[key];
  const inner = rest.length === 0 ? value : withValue(isDocument(before) ? before : {}, rest.join('.'), value);
  const others = without(document, [key]);
  const isEmpty = inner === undefined || (isDocument(inner) && Object.keys(inner).length === 0);
  // A key keeps its place.
  if (!isEmpty && key in document) return { ...document, [key]: inner };
  return isEmpty ? others : { ...others, [key]: inner };
}

/** The document without some of its keys. */
export const without = (document: Document, keys: readonly string[]): Document =>
  Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));

/** One text or several. */
export const textsAt = (document: Document, path: string): string[] => {
  const value = valueAt(document, path);
  return (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);
};

/** @throws Error in a person's words. */
export function parsed(text: string): Document {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (!isDocument(value)) throw new Error('This must be a JSON object.');
  return value;
}
