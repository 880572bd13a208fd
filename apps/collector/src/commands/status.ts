import { showDuration } from '@device-metrics/domain';
import type { Config } from '../config/config.js';
import { readKeptRemote } from '../config/remote.js';
import { ApiConnection } from '../upload/api-connection.js';
import type { SourceState } from '../upload/spool.js';
import { version } from '../version.js';
import { askWhetherReady } from './ask-api.js';
import type { Print } from './command.js';
import { listQuarantined } from './quarantine.js';
import { withSpool } from './with-spool.js';

/** The api is asked whether it answers, but for no longer, ms. */
const TIMEOUT = 5_000;

export async function status(config: Config, _args: readonly string[], print: Print): Promise<void> {
  const answer = await answerOf(config);
  withSpool(config, (spool) => {
    const totals = spool.totals();
    const age = totals.oldest === undefined ? '' : `, the oldest ${since(totals.oldest)} old`;
    print(`version      ${version()}`);
    print(`waiting      ${totals.pendingBatches} batches, ${totals.pendingSamples} samples${age}`);
    print(`quarantined  ${totals.quarantinedBatches} batches, ${totals.quarantinedSamples} samples`);
    print(`sent         ${totals.sent} samples`);
    print(
      `given up     ${totals.evicted} samples by a full or damaged spool, ${totals.dropped} dropped from quarantine`,
    );
    print(`in all       ${totals.generated} samples`);
    print(`sends to     ${config.api.url}, ${asWhom(config)}`);
    print(`api          ${answer}`);
    print(`last sent    ${totals.lastSent === undefined ? 'never' : `${since(totals.lastSent)} ago`}`);
    print(`configured   ${configuredBy(config)}`);
    listSources(config, spool.sources(), print);
    print(
      `size         ${Math.ceil(totals.bytes / 1024)} KiB of at most ${Math.ceil(config.spool.maxBytes / 1024)} KiB`,
    );
    listQuarantined(spool.quarantined(), print);
  });
}

const since = (time: number): string => showDuration(Math.max(0, Date.now() - time));

/** Whether the api answers now. */
async function answerOf({ api }: Config): Promise<string> {
  const { problem } = await askWhetherReady(new ApiConnection(api, TIMEOUT));
  return problem ?? 'answers';
}

/** The name and the age of the credential, without its secret. */
function asWhom({ api }: Config): string {
  const { token, credential } = api;
  const [, name] = /^dm_[a-z]+_([0-9a-f]+)_/.exec(token ?? '') ?? [];
  if (credential && token === credential.token) {
    return `joined as ${credential.device_name} ${since(credential.joined_at)} ago, with the token ${name}`;
  }
  return token === undefined ? 'without a credential' : `with the token ${name ?? 'of API_TOKEN'}`;
}

/** Who says what is read here. */
function configuredBy({ file, remote }: Config): string {
  if (!remote) return `by ${file} alone; remote is off, so the api has no say`;
  const may = remote.allows.commands ? 'may run programs' : 'may not run programs';
  const refused = readKeptRemote(remote.file)?.refused;
  const counts =
    remote.version !== '' && remote.mistakes.length === 0
      ? `the configuration ${remote.version} of the api`
      : 'none of the api';
  const said = refused ? `; ${refused.version} is refused: ${refused.reason}` : '';
  return `by ${file} and ${counts}, which ${may}${said}`;
}

/** How many of what a source could not read are shown. */
const MOST_SHOWN = 10;

/** How the sources fare that the configuration has, those with something to say one by one. */
function listSources({ sources }: Config, noted: readonly SourceState[], print: Print): void {
  const names = new Set([...sources.map(({ name }) => name), 'collector']);
  const states = noted.filter(({ name }) => names.has(name));
  const count = (ended: SourceState['ended']): number => states.filter((state) => state.ended === ended).length;
  print(`sources      ${count('whole')} read whole, ${count('part')} in part, ${count('failed')} failed`);
  for (const { name, ended, since, reason, rejected, rejectedCount } of states) {
    if (ended === 'whole') continue;
    const what = ended === 'failed' ? `failed: ${reason}` : `in part: ${rejectedCount} could not be read or sent`;
    print(`  ${name}, since ${new Date(since).toISOString()}, ${what}`);
    const shown = rejected.slice(0, MOST_SHOWN);
    if (ended === 'part') for (const { part, reason: why } of shown) print(`    ${part}: ${why}`);
    if (ended === 'part' && rejectedCount > shown.length) print(`    and ${rejectedCount - shown.length} more`);
  }
}
