import { existsSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/** Files of the program, by their path from the folder of the project, and what they were as it was packed. */
type Sources = Readonly<Record<string, readonly [modified: number, bytes: number]>>;

/** What the script gives; `url` is of the module that it stands for. */
export type Program = (require: NodeJS.Require, url: string) => void;

/**
 * The whole program as one script, with what V8 has compiled of it, where `tools/packaging/pack-api.mjs` has put it beside the module
 * that starts it: to look for two thousand files takes longer than all else at a start. Undefined where one of them has changed
 * since, where the pack is damaged or another V8's, and under `node --watch`, which has to see them.
 *
 * @param main the URL of that module.
 */
export function packedScript(main: string): Script | undefined {
  const fileOf = (path: string): string => fileURLToPath(new URL(path, main));
  const [script, compiled] = [fileOf('packed.cjs'), fileOf('packed.cjs.compiled')];
  // eslint-disable-next-line no-restricted-properties -- it comes from Node, and is no setting
  if (!existsSync(compiled) || process.env['WATCH_REPORT_DEPENDENCIES'] !== undefined) return undefined;
  try {
    const sources = JSON.parse(readFileSync(fileOf('packed.json'), 'utf8')) as Sources;
    if (!areCurrent(sources, fileOf('../../../'))) return undefined;
    const packed = new Script(readFileSync(script, 'latin1'), { filename: script, cachedData: readFileSync(compiled) });
    return packed.cachedDataRejected ? undefined : packed;
  } catch {
    // The files that it was made of are there still, and say what is wrong with them.
    return undefined;
  }
}

function areCurrent(sources: Sources, folder: string): boolean {
  return Object.entries(sources).every(([path, [modified, bytes]]) => {
    const stat = statSync(folder + path, { throwIfNoEntry: false });
    return stat?.mtimeMs === modified && stat.size === bytes;
  });
}
