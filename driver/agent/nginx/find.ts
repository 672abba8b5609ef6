import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** An nginx that can carry UDP. */
export interface Nginx {
  readonly path: string;
  /** Such as `1.22.1`. */
  readonly version: string;
  /** The file of the stream module; null if it is built in. */
  readonly streamModule: string | null;
}

/** The engine's nginx, or why it has none that can be used. Looks again each time until one is found. */
export type FindNginx = () => Promise<Nginx | { readonly problem: string }>;

/** Where Debian has daemons; not on everybody's PATH. */
const DAEMON_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin'];
const LONGEST_QUESTION = 10_000;

/** @param given an absolute path, or a name to be looked for in PATH and where daemons are */
export function createNginxFinder(given = 'nginx', searchPath = process.env['PATH'] ?? ''): FindNginx {
  let found: Nginx | null = null;
  return async () => {
    if (found !== null) return found;
    const path = locate(given, searchPath);
    if (path === undefined) return { problem: 'this engine has no nginx' };
    const answer = await describe(path);
    if (answer === null) return { problem: 'the nginx of this engine cannot be run' };
    const streamModule = streamModuleOf(answer);
    if (streamModule === undefined) {
      return { problem: 'the nginx of this engine has no stream module (Debian: libnginx-mod-stream)' };
    }
    found = { path, version: /nginx\/(\d+(?:\.\d+)*)/.exec(answer)?.[1] ?? 'unknown', streamModule };
    return found;
  };
}

function locate(given: string, searchPath: string): string | undefined {
  if (given.includes('/')) return existsSync(given) ? given : undefined;
  const folders = [...searchPath.split(delimiter), ...DAEMON_FOLDERS];
  return folders.map((folder) => join(folder, given)).find((path) => existsSync(path));
}

/** What `nginx -V` says; null if it cannot be run. */
function describe(path: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(path, ['-V'], { timeout: LONGEST_QUESTION }, (error, stdout, stderr) =>
      resolve(error === null ? `${stdout}${stderr}` : null),
    );
  });
}

function streamModuleOf(answer: string): string | null | undefined {
  if (/--with-stream(?:\s|$)/.test(answer)) return null;
  const folder = /--modules-path=(\S+)/.exec(answer)?.[1];
  if (folder === undefined) return undefined;
  const file = join(folder, 'ngx_stream_module.so');
  return existsSync(file) ? file : undefined;
}
