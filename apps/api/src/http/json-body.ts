import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { Slices } from '@device-metrics/domain';
import type { FastifyInstance } from 'fastify';
import type { BodyBudget } from './body-budget.js';
import { Problem } from './problem.js';
import { AddRouteConfig } from './route-config.js';

/** How deep objects and arrays of a body may stand in each other; what the calls take has a fifth of it. */
export const MAX_DEPTH = 64;

/** How many objects and arrays a body may have in all. */
export const MAX_PARTS = 500_000;

/** How many names an item of a list may have, with all that is in it: a device may report so many metrics at a time. */
export const MAX_NAMES = 25_000;

/** Characters of a list that are parsed before others get their turn, about. */
const PIECE = 128 * 1024;

const [QUOTE, BACKSLASH, OPEN_ARRAY, CLOSE_ARRAY, OPEN_OBJECT, CLOSE_OBJECT, COLON, COMMA] = [...'"\\[]{}:,'].map(
  (character) => character.charCodeAt(0),
) as [number, number, number, number, number, number, number, number];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route gets a JSON body as a `JsonBody`, and parses it itself where it must. */
    readsJson?: true;
  }
}

/** A JSON body that nobody has parsed yet; its bytes are UTF-8. */
export class JsonBody {
  constructor(
    readonly bytes: Buffer,
    private readonly parser: (text: string) => Promise<unknown>,
  ) {}

  /** What it says, by the rules that hold for each body. */
  async parse(): Promise<unknown> {
    return this.parser(this.bytes.toString());
  }
}

/** Says that a route gets its JSON as a `JsonBody`. */
export const ReadsJson = (): MethodDecorator => AddRouteConfig({ readsJson: true });

/** Has every JSON body checked before it is parsed, and a long one parsed in pieces: megabytes of it would hold everybody up. */
export function acceptJson(server: FastifyInstance, budget: BodyBudget): void {
  // Fastify's own parser refuses __proto__ keys.
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    budget.takeTurn(request, (refusal) => {
      if (refusal) return done(refusal);
      const { speaks, readsJson } = request.routeOptions.config;
      if (speaks && !speaks.parsesJson) return done(null, bytes);
      if (!isUtf8(bytes)) return done(new Problem('unreadable-body', 'The body must be UTF-8.'));
      const part = (text: string): Promise<unknown> =>
        new Promise((resolve, reject) => {
          void parse(request, text, (error, value) => (error ? reject(error) : resolve(value)));
        });
      const body = new JsonBody(bytes, (text) => parseChecked(text, part));
      if (readsJson) return done(null, body);
      body.parse().then((value) => done(null, value), done);
    });
  });
}

/** Parses a body that is not too deep or too large, in pieces where it is long. */
async function parseChecked(body: string, parse: (text: string) => Promise<unknown>): Promise<unknown> {
  const lists = listsOf(body);
  if (!lists) {
    const most = `${MAX_DEPTH} objects and arrays in each other, ${MAX_PARTS} in all, and ${MAX_NAMES} names in an item of a list`;
    throw new Problem('unreadable-body', `The body must have at most ${most}.`);
  }
  const long = lists.filter(({ cuts }) => cuts.length > 0);
  return long.length === 0 ? parse(body) : parseInPieces(body, long, parse);
}

/** A list of a body: the body itself, or what stands under one of its names. */
export interface List {
  /** Where its brackets are. */
  readonly start: number;
  readonly end: number;
  /** Commas between its items by which it can be parsed in pieces. */
  readonly cuts: readonly number[];
}

interface Limits {
  readonly depth?: number;
  readonly parts?: number;
  readonly names?: number;
  readonly piece?: number;
}

/** The lists of JSON, or of what pretends to be; undefined where it has more than is allowed. */
export function listsOf(
  json: string,
  {
    depth: mostDepth = MAX_DEPTH,
    parts: mostParts = MAX_PARTS,
    names: mostNames = MAX_NAMES,
    piece = PIECE,
  }: Limits = {},
): List[] | undefined {
  const lists: List[] = [];
  let [depth, parts, names, outside] = [0, 0, 0, 0];
  let isList = false;
  let list: { start: number; depth: number; last: number; cuts: number[] } | undefined;
  for (let at = 0; at < json.length; at += 1) {
    const code = json.charCodeAt(at);
    if (code === QUOTE) {
      at = endOfString(json, at);
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      if (depth === 0) isList = code === OPEN_ARRAY;
      depth += 1;
      parts += 1;
      if (depth > mostDepth || parts > mostParts) return undefined;
      if (!list && code === OPEN_ARRAY && (depth === 1 || (depth === 2 && !isList))) {
        list = { start: at, depth, last: at, cuts: [] };
        [outside, names] = [names, 0];
      }
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      if (list?.depth === depth) {
        lists.push({ start: list.start, end: at, cuts: list.cuts });
        list = undefined;
        names = outside;
      }
      depth -= 1;
    } else if (code === COLON) {
      names += 1;
      if (names > mostNames) return undefined;
    } else if (code === COMMA && list?.depth === depth) {
      names = 0;
      if (at - list.last < piece) continue;
      list.cuts.push(at);
      list.last = at;
    }
  }
  return lists;
}

/**
 * Parses a body whose lists are long: what is around them, then their items, in slices.
 *
 * @param parse of a part of the body.
 */
export async function parseInPieces(
  body: string,
  lists: readonly List[],
  parse: (text: string) => unknown,
): Promise<unknown> {
  // Stands for the items of a list, and is nothing that anybody could have sent.
  const mark = randomUUID();
  let around = '';
  let from = 0;
  for (const [index, { start, end }] of lists.entries()) {
    around += `${body.slice(from, start + 1)}"${mark}${index}"`;
    from = end;
  }
  const whole = await parse(around + body.slice(from));
  const slices = new Slices();
  for (const one of Array.isArray(whole) ? [whole] : Object.values(whole as object)) {
    const [first] = Array.isArray(one) ? (one as unknown[]) : [];
    if (typeof first !== 'string' || !first.startsWith(mark)) continue;
    const items = one as unknown[];
    items.length = 0;
    const { start, end, cuts } = lists[Number(first.slice(mark.length))] as List;
    const bounds = [start, ...cuts, end];
    for (let index = 1; index < bounds.length; index += 1) {
      // With something in it, even where a comma stands alone.
      const some = (await parse(`[${body.slice((bounds[index - 1] as number) + 1, bounds[index])}]`)) as unknown[];
      if (some.length === 0) return parse(body);
      for (const item of some) items.push(item);
      if (slices.isOver()) await slices.next();
    }
  }
  return whole;
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
