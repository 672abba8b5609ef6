import { execFile } from 'node:child_process';
import type { Nginx } from './find';

/** What `nginx -t` thinks of a file. */
export interface NginxVerdict {
  readonly valid: boolean;
  readonly output: string;
}

const LONGEST_CHECK = 30_000;

/** Runs `nginx -t`. Throws only if nginx cannot be run at all. */
export function judge({ path }: Nginx, configPath: string): Promise<NginxVerdict> {
  return new Promise((resolve, reject) => {
    // What it has to say before it has read the file would go to a log of the system's own nginx.
    const words = ['-t', '-q', '-c', configPath, '-e', 'stderr'];
    execFile(path, words, { timeout: LONGEST_CHECK }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(new Error(`nginx cannot be run: ${error.message}`));
      else resolve({ valid: error === null, output: `${stdout}${stderr}` });
    });
  });
}

const COMPLAINT = /^nginx: \[(?:emerg|alert|crit|error)\] (.*)$/;
const POSITION = / in \S*:(\d+)$/;

/** What nginx said against a configuration: the line it blames (counted from 1), null if none, and its words. */
export function readComplaint(output: string): { readonly line: number | null; readonly reason: string } {
  const text = output
    .split('\n')
    .map((line) => COMPLAINT.exec(line)?.[1])
    .find((found) => found !== undefined);
  if (text === undefined) return { line: null, reason: 'nginx gave no reason' };
  const line = POSITION.exec(text)?.[1];
  return { line: line === undefined ? null : Number(line), reason: `nginx: ${text.replace(POSITION, '')}` };
}
