import { execFile } from 'node:child_process';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, rename, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageStatement, quote, reasonOf, type PackageFacts } from '@device-metrics/domain';
import type { ApiConnection } from '../upload/api-connection.js';
import type { UpdateFolder } from './update-folder.js';

/** A package that the api offers. */
export interface Offer extends PackageFacts {
  /** Ed25519, Base64. */
  readonly signature: string;
}

/** Why a package is not even started; the message says it to a person. */
export class NotTaken extends Error {}

const LARGEST = 200 * 2 ** 20;
/** For a slow connection, ms. */
const FETCHES_WITHIN = 30 * 60_000;
/** Unpacked, a package takes three to four times its size. */
const ROOM = 5;

const run = promisify(execFile);

/**
 * Fetches a package and unpacks it beside the others. Nothing of it is looked at before its signature and checksum are right.
 *
 * @throws NotTaken where it may not be started; HttpError where the api gave none.
 */
export async function fetchPackage(
  offer: Offer,
  { connection, folder, signal }: { connection: ApiConnection; folder: UpdateFolder; signal: AbortSignal },
): Promise<void> {
  assertSigned(offer, connection.updateKey ?? '');
  const draft = `${folder.of(offer.version)}.new`;
  const archive = join(draft, 'package.tar.gz');
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true, mode: 0o700 });
    await assertRoom(folder.path, offer.size);
    await download(offer, archive, connection, signal);
    await unpack(archive, draft);
    await rm(folder.of(offer.version), { recursive: true, force: true });
    await rename(join(draft, 'device-metrics-collector'), folder.of(offer.version));
    await assertStarts(folder, offer.version);
  } catch (error) {
    await rm(folder.of(offer.version), { recursive: true, force: true });
    const isOfDisk = ['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EIO'].includes(
      (error as NodeJS.ErrnoException).code ?? '',
    );
    throw isOfDisk ? new NotTaken(`it cannot be written to ${folder.path}: ${reasonOf(error)}`) : error;
  } finally {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined);
  }
}

function assertSigned(offer: Offer, updateKey: string): void {
  const { name, version, size, signature } = offer;
  let isRight = false;
  try {
    const key = createPublicKey({ key: Buffer.from(updateKey, 'base64'), format: 'der', type: 'spki' });
    isRight = verify(null, packageStatement(offer), key, Buffer.from(signature, 'base64'));
  } catch {
    // A key or a signature of another form is a wrong one.
  }
  if (!isRight) throw new NotTaken('its signature is not by the key of the api that this collector has joined');
  const isName = (text: string): boolean => /^[0-9A-Za-z][0-9A-Za-z_.+~-]*$/.test(text);
  if (!isName(version) || !isName(name) || size > LARGEST) {
    throw new NotTaken(`${quote(name)} of ${size} bytes cannot be a package of version ${quote(version)}`);
  }
}

async function assertRoom(path: string, size: number): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const [free, needed] = [bavail * bsize, size * ROOM];
  if (free < needed) throw new NotTaken(`${mib(free)} are free at ${path}, and ${mib(needed)} are needed`);
}

async function download(offer: Offer, into: string, connection: ApiConnection, signal: AbortSignal): Promise<void> {
  const { status, body } = await connection.request({
    method: 'GET',
    path: `/api/v1/packages/${encodeURIComponent(offer.name)}`,
    headers: { 'accept-encoding': 'identity', accept: 'application/gzip' },
    timeout: FETCHES_WITHIN,
    maxBytes: offer.size,
    into,
    signal,
  });
  if (status !== 200) throw new NotTaken(`the api answers ${status} in its place: ${quote(body)}`);
  const hash = createHash('sha256');
  for await (const piece of createReadStream(into) as AsyncIterable<Buffer>) hash.update(piece);
  if (hash.digest('hex') !== offer.sha256) throw new NotTaken('what came has another checksum');
}

async function unpack(archive: string, into: string): Promise<void> {
  await run('tar', ['-xzf', archive, '-C', into, '--no-same-owner']).catch((error: unknown) => {
    const { stderr = '' } = error as { stderr?: string };
    throw new NotTaken(`it cannot be unpacked: ${reasonIn(stderr) || reasonOf(error)}`);
  });
}

/** On this system, and as the version that it is said to be. */
async function assertStarts(folder: UpdateFolder, version: string): Promise<void> {
  const { node, main } = folder.programOf(version);
  const said = await run(node, [main, '--version'], { timeout: 60_000 }).catch((error: unknown) => {
    const { stderr = '', code } = error as { stderr?: string; code?: unknown };
    const ended = typeof code === 'number' ? `it ended with ${code} and said nothing` : reasonOf(error);
    throw new NotTaken(`it cannot be started: ${reasonIn(stderr) || ended}`);
  });
  const found = said.stdout.trim();
  if (found !== version) throw new NotTaken(`it says that it is version ${quote(found)}`);
}

/** Of what a program has written, the line that says why: the first that names an error, or the first. */
const reasonIn = (text: string): string => {
  const lines = text.trim().split('\n');
  return (lines.find((line) => /^\w*Error: /.test(line)) ?? lines[0] ?? '').slice(0, 300);
};
const mib = (bytes: number): string => `${Math.floor(bytes / 2 ** 20)} MiB`;
