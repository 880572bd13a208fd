import { spawn } from 'node:child_process';
import { environmentOfThisProcess } from '@device-metrics/settings';
import type { Program } from './update-folder.js';

/** Node has it from 22.15 on, and not on Windows. */
type Execve = (file: string, args: readonly string[], environment: NodeJS.ProcessEnv) => never;

/** This process. */
export const thisProgram = (): Program => ({ node: process.execPath, main: process.argv[1] ?? '' });

/**
 * Lets another program be this process: for the service manager nothing changes. Where Node cannot do that, the program runs under
 * this process, which ends with it.
 */
export function handOver({ node, main }: Program): void {
  const { execve } = process as { execve?: Execve };
  try {
    execve?.(node, [node, main], environmentOfThisProcess());
  } catch {
    // It then runs under this process, which says why where that fails too.
  }
  const child = spawn(node, [main], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.removeAllListeners(signal);
    process.on(signal, () => child.kill(signal));
  }
  child.once('error', (error) => {
    console.error(`${main} cannot be started: ${error.message}`);
    process.exit(1);
  });
  child.once('exit', (code) => process.exit(code ?? 1));
}
