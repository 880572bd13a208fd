import { isUtf8 } from 'node:buffer';
import { randomUUID } from 'node:crypto';
import { Slices } from '@device-metrics/domain';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { BodyBudget } from './body-budget.js';
import { Problem } from './problem.js';
import { AddRouteConfig } from './route-config.js';

/** How deep objects and arrays of a body may stand in each other; what the calls take has a fifth of it. */
const MAX_DEPTH = 64;

/** How many objects and arrays a body may have in all. */
export const MAX_PARTS = 500_000;

/** How many names an item of a list may have, with all that is in it: a device may report so many metrics at a time. */
export const MAX_NAMES = 25_000;

/** How many characters a text of a body may have: one is parsed in one piece. */
export const MAX_TEXT = 2 ** 21;

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

type JsonParser = (text: string) => Promise<unknown>;

/** A JSON body that nobody has parsed yet; its bytes are UTF-8. */
export class JsonBody {
  /** @throws Problem where the bytes are not UTF-8. */
  constructor(
    readonly bytes: Buffer,
    private readonly parser: JsonParser,
  ) {
    if (!isUtf8(bytes)) throw new Problem('unreadable-body', 'The body must be UTF-8.');
  }

  /** What it says, by the rules that hold for each body. */
  async parse(): Promise<unknown> {
    return parseChecked(this.bytes.toString(), this.parser);
  }
}

/** Says that a route gets its JSON as a `JsonBody`. */
export const ReadsJson = (): MethodDecorator => AddRouteConfig({ readsJson: true });

/**
 * Has every JSON body checked before it is parsed, and a long one parsed in pieces: megabytes of it would hold everybody up.
 *
 * @returns what makes a `JsonBody` of bytes.
 */
export function acceptJson(server: FastifyInstance, budget: BodyBudget): (bytes: Buffer) => JsonBody {
  // Fastify's own parser refuses __proto__ keys.
  const parse = server.getDefaultJsonParser('error', 'error');
  const part: JsonParser = (text) =>
    new Promise((resolve, reject) => {
      // It looks at nothing of the request.
      void parse({} as FastifyRequest, text, (error, value) =>
        error ? reject(whyNoJson(text, error)) : resolve(value),
      );
    });
  const bodyOf = (bytes: Buffer): JsonBody => new JsonBody(bytes, part);
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    budget.takeTurn(request, (refusal) => {
      if (refusal) return done(refusal);
      const { speaks, readsJson } = request.routeOptions.config;
      // Where there is no such call, the body is not what is wrong.
      if (request.is404 || (speaks && !speaks.parsesJson)) return done(null, bytes);
      let body: JsonBody;
      try {
        body = bodyOf(bytes);
      } catch (problem) {
        return done(problem as Problem);
      }
      if (readsJson) return done(null, body);
      body.parse().then((value) => done(null, value), done);
    });
  });
  return bodyOf;
}

/** What is wrong with a text that the framework refuses, which says only that it does. */
function whyNoJson(text: string, error: Error): Error {
  if ((error as { code?: unknown }).code !== 'FST_ERR_CTP_INVALID_JSON_BODY') return error;
  let reason: unknown = new Error('a name in it is __proto__, or prototype within constructor');
  try {
    JSON.parse(text);
  } catch (mistake) {
    reason = mistake;
  }
  return Object.assign(reason as Error, { statusCode: 400 });
}

/** Parses a body that is not too deep or too large, in pieces where it is long. */
async function parseChecked(body: string, parse: JsonParser): Promise<unknown> {
  const lists = await longListsOf(body);
  if (!lists) {
    const most = `${MAX_DEPTH} objects and arrays in each other, ${MAX_PARTS} in all, ${MAX_NAMES} names in an item of a list, and ${MAX_TEXT} characters in a text`;
    throw new Problem('unreadable-body', `The body must have at most ${most}.`);
  }
  return lists.length === 0 ? parse(body) : parseInPieces(body, lists, parse).catch(withoutPlace);
}

/** Of a piece, what stands where in it says nothing of the body. */
function withoutPlace(error: unknown): never {
  if (error instanceof Error) error.message = error.message.replace(/( in JSON)? at position \d+.*$/s, '');
  throw error;
}

/** A list of a body that is parsed in pieces. */
export interface List {
  /** Where its brackets are. */
  readonly start: number;
  readonly end: number;
  /** Commas between its items by which it is cut. */
  readonly cuts: readonly number[];
  /** The lists in it that are parsed in pieces by themselves. */
  readonly within: readonly List[];
}

interface Limits {
  readonly depth?: number;
  readonly parts?: number;
  readonly names?: number;
  readonly piece?: number;
}

/** Characters that are cheap enough to go without a look at the clock. */
const WITHOUT_LOOK = 32 * 1024;

/** The long lists of JSON, or of what pretends to be, looked for in slices; undefined where it has more than is allowed. */
export async function longListsOf(
  json: string,
  {
    depth: mostDepth = MAX_DEPTH,
    parts: mostParts = MAX_PARTS,
    names: mostNames = MAX_NAMES,
    piece = PIECE,
  }: Limits = {},
): Promise<List[] | undefined> {
  const slices = new Slices();
  const outermost: List[] = [];
  /** Of the objects and arrays that are open, by their depth: arrays have a start. */
  const starts: (number | undefined)[] = [];
  const lasts: number[] = [];
  const cuts: number[][] = [];
  const within: List[][] = [];
  let [depth, parts, names, outside, look] = [0, 0, 0, 0, WITHOUT_LOOK];
  let isText = false;
  let textStart = 0;
  /** Of the list whose items are counted: the body itself, or what stands under one of its names. */
  let counted = 0;
  for (let at = 0; at < json.length; at += 1) {
    if (at >= look) {
      look = at + WITHOUT_LOOK;
      if (slices.isOver()) await slices.next();
    }
    const code = json.charCodeAt(at);
    if (isText) {
      const end = json.indexOf('"', at);
      if (end < 0) break;
      if (end - textStart > MAX_TEXT) return undefined;
      isText = isEscaped(json, end);
      // A long text costs nothing.
      look += end - at;
      at = end;
    } else if (code === QUOTE) {
      isText = true;
      textStart = at;
    } else if (code === OPEN_ARRAY || code === OPEN_OBJECT) {
      depth += 1;
      parts += 1;
      if (depth > mostDepth || parts > mostParts) return undefined;
      starts[depth] = code === OPEN_ARRAY ? at : undefined;
      lasts[depth] = at;
      cuts[depth] = NONE;
      within[depth] = NO_LISTS;
      if (counted === 0 && code === OPEN_ARRAY && (depth === 1 || (depth === 2 && starts[1] === undefined))) {
        counted = depth;
        [outside, names] = [names, 0];
      }
    } else if (code === CLOSE_ARRAY || code === CLOSE_OBJECT) {
      if (depth === 0) continue;
      if (counted === depth) [counted, names] = [0, outside];
      const start = starts[depth];
      const own = within[depth] as List[];
      const isLong = start !== undefined && (cuts[depth] as number[]).length > 0;
      const found = isLong ? [{ start, end: at, cuts: cuts[depth] as number[], within: own }] : own;
      depth -= 1;
      if (found.length === 0) continue;
      let into = depth === 0 ? outermost : (within[depth] as List[]);
      if (into === NO_LISTS) within[depth] = into = [];
      for (const one of found) into.push(one);
    } else if (code === COLON) {
      names += 1;
      if (names > mostNames) return undefined;
    } else if (code === COMMA && starts[depth] !== undefined && depth > 0) {
      if (counted === depth) names = 0;
      if (at - (lasts[depth] as number) < piece) continue;
      if (cuts[depth] === NONE) cuts[depth] = [];
      cuts[depth]?.push(at);
      lasts[depth] = at;
    }
  }
  return outermost;
}

const NONE: number[] = [];
const NO_LISTS: List[] = [];

/** Whether an odd number of backslashes stands in front. */
function isEscaped(json: string, at: number): boolean {
  let escapes = 0;
  while (json.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes += 1;
  return escapes % 2 === 1;
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
  const marked: List[] = [];
  const slices = new Slices();
  const partOf = (start: number, end: number, within: readonly List[]): string => {
    let text = '';
    let from = start;
    for (const list of within) {
      if (list.start < start || list.end > end) continue;
      text += `${body.slice(from, list.start + 1)}"${mark}${marked.push(list) - 1}"`;
      from = list.end;
    }
    return text + body.slice(from, end);
  };
  /** What a part says, with the items of the lists that stand in it. */
  const read = async (part: string, within: readonly List[]): Promise<unknown> => {
    const value = await parse(part);
    if (within.length > 0) for (const items of listsWith(mark, value)) await fill(items);
    return value;
  };
  const fill = async (items: unknown[]): Promise<void> => {
    const { start, end, cuts, within } = marked[Number(String(items.pop()).slice(mark.length))] as List;
    const bounds = [start, ...cuts, end];
    for (let index = 1; index < bounds.length; index += 1) {
      const part = partOf((bounds[index - 1] as number) + 1, bounds[index] as number, within);
      const some = (await read(`[${part}]`, within)) as unknown[];
      // A comma stands alone: that is no JSON, as the parser has to say.
      if (some.length === 0) await parse('[,]');
      for (const item of some) items.push(item);
      if (slices.isOver()) await slices.next();
    }
  };
  return read(partOf(0, body.length, lists), lists);
}

/** The lists in a value that have a mark in place of their items. */
function listsWith(mark: string, value: unknown): unknown[][] {
  const found: unknown[][] = [];
  const left = [value];
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    if (typeof one !== 'object' || one === null) continue;
    const parts: unknown[] = Array.isArray(one) ? one : Object.values(one);
    if (parts === one && typeof parts[0] === 'string' && parts[0].startsWith(mark)) found.push(parts);
    else for (const part of parts) if (typeof part === 'object') left.push(part);
  }
  return found;
}
