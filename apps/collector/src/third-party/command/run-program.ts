import { spawn } from 'node:child_process';
import { quote } from '@device-metrics/domain';
import { textOfBytes } from '../../text-of-bytes.js';

export interface Program {
  readonly file: string;
  readonly args: readonly string[];
  readonly folder: string | undefined;
  /** Added to PATH, HOME and the language of the collector; nothing else of its environment is handed on. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Of the output of one run. */
const MAX_BYTES = 2 * 2 ** 20;
/** Of what a program says on stderr, for the reason of a failure. */
const MOST_SAID = 500;

/**
 * What a program writes to its output. No shell has a part in it. When the signal aborts, or the output gets longer than 2 MB, the
 * program is killed with all that it has started.
 *
 * @throws Error with the reason when it cannot start, or ends with another status than 0.
 */
export function runProgram(program: Program, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program.file, [...program.args], {
      cwd: program.folder,
      env: { ...inherited(), ...program.environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that a child of the child goes with it.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    const output: Buffer[] = [];
    let length = 0;
    let said = '';
    const stop = (reason: string): void => {
      kill(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
      reject(new Error(reason));
    };
    const abort = (): void => stop('given up');
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MAX_BYTES) stop(`the output is longer than ${MAX_BYTES} bytes`);
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(0, MOST_SAID)));
    child.on('error', (error: NodeJS.ErrnoException) => reject(new Error(startProblem(program.file, error))));
    child.on('close', (code, killer) => {
      signal.removeEventListener('abort', abort);
      if (code === 0) return resolve(textOfBytes(Buffer.concat(output)));
      const end = code === null ? `was ended by ${killer}` : `ended with status ${code}`;
      reject(new Error(`${program.file} ${end}${said.trim() === '' ? '' : `: ${quote(said.trim())}`}`));
    });
  });
}

function kill(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** A program needs these to be found and to speak; tokens of the collector it does not need. */
function inherited(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR', 'TEMP', 'SystemRoot', 'PATHEXT'];
  // eslint-disable-next-line no-restricted-properties -- what a program inherits is no setting
  const { env } = process;
  return Object.fromEntries(names.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

function startProblem(file: string, error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return `there is no program ${file}, or no such folder`;
  if (error.code === 'EACCES') return `${file} may not be run: is it executable?`;
  return `${file} cannot be started: ${error.message}`;
}
