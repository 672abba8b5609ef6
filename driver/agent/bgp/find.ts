import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A BIRD of version 2. */
export interface Bird {
  readonly path: string;
  /** Such as `2.0.12`. */
  readonly version: string;
}

/** The engine's BIRD, or why it has none that can be used. Looks again each time until one is found. */
export type FindBird = () => Promise<Bird | { readonly problem: string }>;

/** Where Debian has daemons; not on everybody's PATH. */
const DAEMON_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin'];
const LONGEST_QUESTION = 10_000;

/** @param given an absolute path, or a name to be looked for in PATH and where daemons are */
export function createBirdFinder(given = 'bird', searchPath = process.env['PATH'] ?? ''): FindBird {
  let found: Bird | null = null;
  return async () => {
    if (found !== null) return found;
    const path = locate(given, searchPath);
    if (path === undefined) return { problem: 'this engine has no bird (Debian: bird2), which announces VIPs by BGP' };
    const version = await versionOf(path);
    if (version === null) return { problem: 'the bird of this engine cannot be run' };
    if (!version.startsWith('2.')) return { problem: `the bird of this engine is ${version}, not of version 2` };
    found = { path, version };
    return found;
  };
}

function locate(given: string, searchPath: string): string | undefined {
  if (given.includes('/')) return existsSync(given) ? given : undefined;
  const folders = [...searchPath.split(delimiter), ...DAEMON_FOLDERS];
  return folders.map((folder) => join(folder, given)).find((path) => existsSync(path));
}

/** Of what `bird --version` says; null if it cannot be run. */
function versionOf(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(path, ['--version'], { timeout: LONGEST_QUESTION }, (error, stdout, stderr) =>
      resolve(error === null ? (/version (\d+(?:\.\d+)*)/.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown') : null),
    );
  });
}
