/** What errors of Node's sockets mean; what follows a code there is the address or the name. */
const PROBLEMS: ReadonlyArray<readonly [RegExp, string]> = [
  [/ECONNREFUSED ?(\S*)/, 'nothing listens at $1 (ECONNREFUSED)'],
  [/(?:ENOTFOUND|EAI_AGAIN) ?(\S*)/, 'the name $1 is not known here (ENOTFOUND)'],
  [/(E(?:HOST|NET)UNREACH|ETIMEDOUT|EHOSTDOWN) ?(\S*)/, 'nothing answers at $2: is it on, and in this network? ($1)'],
  [
    /^Parse Error: (.*)/,
    'its answer breaks the rules of HTTP ($1); with lenient: true it is read all the same where that can be done',
  ],
  [/wrong version number|packet length too long/, 'it speaks no TLS on this port: is the beginning of the URL right?'],
  // OpenSSL has the reason between the name of a function and that of a file.
  [
    /SSL routines:[^:]*:((?!wrong version|packet length)[^:]+)/,
    'TLS fails ($1); an old device may speak only what is not safe any more',
  ],
  [/\baborted$/, 'it has cut the connection in the middle of its answer'],
  [/\bsocket hang up$/, 'it has closed the connection without an answer (socket hang up)'],
  [
    /ECONNRESET/,
    'it has cut the connection (ECONNRESET); where one side wants TLS and the other does not, it looks so too',
  ],
];

/** Why there is no connection, so that a person knows what to look at; other errors stay as they are. */
export function networkProblem(error: Error & { code?: string | number | undefined }): string {
  // A connection that fails on every address of a host is an AggregateError with an empty message.
  const text = error.message || String(error.code ?? 'no connection');
  for (const [pattern, meaning] of PROBLEMS) {
    const match = pattern.exec(text);
    if (match) return meaning.replace(/\$(\d)/g, (_whole, index: string) => match[Number(index)] || 'its address');
  }
  return text;
}
