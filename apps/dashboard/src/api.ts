import type { components, paths } from './generated/openapi.js';

/** What the api answers, by the name of its schema in openapi.json. */
export type Schema<Name extends keyof components['schemas']> = components['schemas'][Name];

/** The paths that can be read. */
type Readable = { [Path in keyof paths]: paths[Path] extends { get: object } ? Path : never }[keyof paths];
type Reading<Path extends Readable> = paths[Path] extends { get: infer Operation } ? Operation : never;
type Answer<Operation> = Operation extends { responses: { 200: { content: { 'application/json': infer Body } } } }
  ? Body
  : string;
type Parameters<Operation> = Operation extends { parameters: infer All } ? All : never;
type Given<Query> = [NonNullable<Query>] extends [never] ? object : NonNullable<Query>;
type QueryOf<Path extends Readable> = Parameters<Reading<Path>> extends { query?: infer Query } ? Given<Query> : object;
/** Parameters may be undefined, which leaves them out. */
type Loose<Query> = { [Name in keyof Query]: Query[Name] | undefined };
type PathOf<Path extends Readable> = Parameters<Reading<Path>> extends { path: infer Names } ? Names : undefined;

/** Parameters of a query; those that are undefined are left out, lists are repeated. */
export type Query = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What the api, or the way to it, said instead of the answer. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(
    message: string,
    /** HTTP status; 0 where there was no answer. */
    readonly status: number,
    /** What is wrong with each field of an input. */
    readonly fields: readonly { readonly field: string; readonly reason: string }[] = [],
    /** The whole problem. */
    readonly body: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
  }

  /** The api is away, or has no answer right now: it pays to ask again. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

type Listener = (state: { readonly reachable: boolean; readonly signedOut: boolean }) => void;

/** How the last calls went, for the line that says that the api is away, and for the way to sign-in. */
export const connection = {
  reachable: true,
  signedOut: false,
  /** The clock of the api less that of this browser, ms; its answers say it to the second. */
  clockAhead: 0,
  listeners: new Set<Listener>(),
  set(change: { reachable?: boolean; signedOut?: boolean }): void {
    const { reachable = this.reachable, signedOut = this.signedOut } = change;
    if (reachable === this.reachable && signedOut === this.signedOut) return;
    Object.assign(this, { reachable, signedOut });
    for (const listener of this.listeners) listener({ reachable, signedOut });
  },
};

/** The time by the clock of the api, ms: what it calls late or offline is so by that. */
export const serverNow = (): number => Date.now() + connection.clockAhead;

/** The address of a call, to copy, to save as a file, or to fetch. */
export function addressOf(path: string, query: Query = {}, names: Record<string, string> = {}): string {
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(names[name] ?? ''));
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of typeof value === 'string' ? [value] : (value ?? [])) parameters.append(name, one);
  }
  const search = parameters.toString();
  return search === '' ? filled : `${filled}?${search}`;
}

/** Reads what openapi.json calls `path`. @throws ApiError */
export async function read<Path extends Readable>(
  path: Path,
  query: Loose<QueryOf<Path>> & Query,
  {
    signal,
    names,
    headers,
  }: {
    signal?: AbortSignal;
    names?: PathOf<Path> & Record<string, string>;
    headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<Answer<Reading<Path>>> {
  const response = await send(addressOf(path, query, names), {
    ...(signal && { signal }),
    ...(headers && { headers }),
  });
  const text = await textOf(response, signal);
  const isJson = response.headers.get('content-type')?.includes('json');
  return (isJson ? JSON.parse(text) : text) as Answer<Reading<Path>>;
}

/**
 * Changes something, and gives the answer parsed; undefined where it has no body.
 *
 * @param read what was read of it: the api changes nothing that has become another one since; null: that must not be there.
 * @throws ApiError
 */
export async function change<Body = undefined>(
  method: 'POST' | 'PATCH' | 'PUT' | 'DELETE',
  address: string,
  body?: unknown,
  read?: { readonly etag?: string | undefined } | null,
): Promise<Body> {
  const response = await send(address, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(read?.etag !== undefined && { 'if-match': read.etag }),
      ...(read === null && { 'if-none-match': '*' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await textOf(response);
  return (text === '' ? undefined : JSON.parse(text)) as Body;
}

async function send(address: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(address, { ...init, credentials: 'same-origin' });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    connection.set({ reachable: false });
    throw new ApiError('The api does not answer.', 0);
  }
  connection.set({ reachable: true });
  const date = Date.parse(response.headers.get('date') ?? '');
  if (Math.abs(date + 500 - serverNow()) > 2_000) connection.clockAhead = date + 500 - Date.now();
  if (!response.ok) throw await problemOf(response, address);
  return response;
}

/** The whole of an answer: half of one is none. */
async function textOf(response: Response, signal?: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('The answer of the api broke off.', 0);
  }
}

async function problemOf(response: Response, address: string): Promise<ApiError> {
  // What is not right at the sign-in itself, or of a shared link, is said there.
  if (response.status === 401 && address !== '/api/v1/session') connection.set({ signedOut: true });
  try {
    const problem = (await response.json()) as Schema<'ProblemDto'> & Record<string, unknown>;
    return new ApiError(problem.detail, response.status, problem.errors, problem);
  } catch {
    return new ApiError(`The api answered ${response.status} ${response.statusText}.`, response.status);
  }
}

/** A sample as it was stored a moment ago. */
export interface LiveSample {
  readonly device_name: string;
  readonly metric_name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly unit?: string;
  /** RFC 3339. */
  readonly timestamp: string;
}

/**
 * Hears of new samples until the function that comes back is called. The browser connects again by itself when the api
 * was away, and gets what it missed; `onGap` is called where that is no longer kept, or more came than this page took.
 */
export function listen(
  query: Query,
  onSamples: (samples: readonly LiveSample[]) => void,
  onGap: () => void,
): () => void {
  let source: EventSource | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let closed = false;
  const open = (): void => {
    source = new EventSource(addressOf('/api/v1/live', query));
    source.addEventListener('samples', (event: MessageEvent<string>) => {
      onSamples(JSON.parse(event.data) as LiveSample[]);
    });
    source.addEventListener('gap', onGap);
    source.addEventListener('open', () => connection.set({ reachable: true }));
    source.addEventListener('error', () => {
      // Whether the api is away, a call finds out at once.
      if (!closed) void send('/healthz', {}).catch(() => undefined);
      // A refusal ends the source for good; a connection that broke off does not.
      if (source?.readyState !== EventSource.CLOSED || closed) return;
      retry = setTimeout(() => {
        onGap();
        open();
      }, 5_000);
    });
  };
  open();
  return () => {
    closed = true;
    clearTimeout(retry);
    source?.close();
  };
}
