import { check } from './check.js';
import type { Command } from './command.js';
import { doctor } from './doctor.js';
import { join } from './join.js';
import { leave, trust } from './leave.js';
import { quarantine } from './quarantine.js';
import { read } from './read.js';
import { status } from './status.js';

export const commands: Readonly<Record<string, Command>> = {
  check: {
    usage:
      'check [-]                      say what is wrong in the configuration; -: in one for other PCs, of standard input',
    most: 2,
    run: check,
  },
  doctor: {
    usage: 'doctor                         look for what is wrong, read each source once, and say what to do',
    most: 0,
    run: doctor,
  },
  read: {
    usage: 'read <source>                  run one source once and print what it would send',
    most: 1,
    run: read,
  },
  status: {
    usage: 'status                         show version, queue, as whom it sends, when last, and how the sources fare',
    most: 0,
    run: status,
  },
  join: {
    usage: 'join <url> --code <code>       get a credential from an api, by the code that it gives',
    most: Infinity,
    run: join,
  },
  leave: { usage: 'leave                          give the credential back', most: 1, run: leave },
  trust: {
    usage: 'trust <fingerprint>            take up another certificate of the api, after you have compared it',
    most: 1,
    run: trust,
  },
  quarantine: {
    usage:
      'quarantine list|retry|drop     show, send again or delete what the api refused: retry|drop <number>… or all',
    most: Infinity,
    run: quarantine,
  },
};

/** What `collector --help` prints. */
export const help = `Without a command the collector runs until it gets SIGTERM; SIGHUP, or a change of the file, reads its
configuration again. Commands:
${Object.values(commands)
  .map(({ usage }) => `  ${usage}`)
  .join('\n')}
  --version                      print the version

What it reads stands in collector.yaml, or the file that COLLECTOR_CONFIG names; collector.example.yaml shows everything. The
other settings come from the environment or a file .env in the working folder: API_URL, API_TOKEN, CREDENTIAL_PATH, DEVICE_NAME,
COLLECT_INTERVAL, SPOOL_PATH, SPOOL_MAX_BYTES, SPOOL_MIN_FREE_BYTES, COLLECTOR_METRICS_PORT, REMOTE_INTERVAL, UPDATE_INTERVAL;
.env.example explains them.`;
