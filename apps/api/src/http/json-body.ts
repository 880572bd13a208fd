import type { FastifyInstance } from 'fastify';
import { Problem } from './problem.js';

/** How deep objects and arrays of a body may stand in each other; what the calls take has a fifth of it. */
export const MAX_DEPTH = 64;

const [QUOTE, BACKSLASH, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT] = [...'"\\[]{}'].map((character) =>
  character.charCodeAt(0),
) as [number, number, number, number, number, number];

/** How many objects and arrays a body may have in all. */
export const MAX_PARTS = 500_000;

/** Has the depth of every JSON body checked before it is parsed: megabytes of brackets would hold everybody up. */
export function acceptJson(server: FastifyInstance): void {
  // Fastify's own parser refuses __proto__ keys.
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    const { speaks } = request.routeOptions.config;
    if (speaks && !speaks.parsesJson) {
      done(null, Buffer.from(body));
    } else if (isTooDeep(body)) {
      const most = `${MAX_DEPTH} objects and arrays in each other, and ${MAX_PARTS} in all`;
      done(new Problem('unreadable-body', `The body must have at most ${most}.`));
    } else {
      void parse(request, body, done);
    }
  });
}

/** Whether JSON, or what pretends to be, opens more than `most` arrays and objects in each other, or `all` in all. */
export function isTooDeep(json: string, most = MAX_DEPTH, all = MAX_PARTS): boolean {
  let depth = 0;
  let parts = 0;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(json, at);
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      depth += 1;
      parts += 1;
      if (depth > most || parts > all) return true;
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      depth -= 1;
    }
  }
  return false;
}

/** Where the string that begins at a quote ends; the end of the text where it does not. */
function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end !== -1; end = json.indexOf('"', end + 1)) {
    let escapes = 0;
    while (json.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return end;
  }
  return json.length;
}
