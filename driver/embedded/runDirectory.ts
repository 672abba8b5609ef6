import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import path from 'node:path';

/**
 * The directory of the engine's unix sockets: short, since their paths may have 107 bytes, and the same at every start on
 * the same state, so that running haproxies are found again.
 * @throws Error when somebody else owns it
 */
export function prepareRunDirectory(configured: string | null, stateDir: string): string {
  const digest = createHash('sha256').update(path.resolve(stateDir)).digest('hex').slice(0, 8);
  const directory = configured ? path.resolve(configured) : path.join(shortestTemporary(), `slipstream-${digest}`);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== userInfo().uid) {
    throw new Error(`${directory} belongs to somebody else: set [embedded] run_dir to a short directory of your own`);
  }
  if (!configured) chmodSync(directory, 0o700);
  return directory;
}

/** TMPDIR may be long; the sockets' path may not. */
function shortestTemporary(): string {
  const directory = tmpdir();
  return directory.length <= 24 ? directory : '/tmp';
}
