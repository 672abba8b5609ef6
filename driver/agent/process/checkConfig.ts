import { execFile } from 'node:child_process';
import { errorCode } from '../systemError';
import type { Command } from './enter';

/** What `haproxy -c` thinks of a file. */
export interface Verdict {
  readonly valid: boolean;
  readonly output: string;
}

const LONGEST_CHECK = 30_000;

/** Runs `haproxy -c`. Throws only if haproxy cannot be run at all. */
export function checkConfig({ file, words }: Command, configPath: string): Promise<Verdict> {
  return new Promise((resolve, reject) => {
    execFile(file, [...words, '-c', '-f', configPath], { timeout: LONGEST_CHECK }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(startFailure(words.at(-1) ?? file, error));
      else resolve({ valid: error === null, output: `${stdout}${stderr}` });
    });
  });
}

/** The version of the haproxy, such as `2.6.12`. Throws if it cannot be run. */
export function haproxyVersion(haproxyPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(haproxyPath, ['-v'], { timeout: LONGEST_CHECK }, (error, stdout) => {
      if (error !== null) reject(startFailure(haproxyPath, error));
      else resolve(/version (\d+(?:\.\d+)*)/i.exec(stdout)?.[1] ?? 'unknown');
    });
  });
}

/** Whether the haproxy was built with Lua. */
export function hasLua(haproxyPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(haproxyPath, ['-vv'], { timeout: LONGEST_CHECK }, (_error, stdout) => resolve(/USE_LUA=1/.test(stdout)));
  });
}

function startFailure(haproxyPath: string, error: Error): Error {
  const missing = errorCode(error) === 'ENOENT';
  return new Error(missing ? `there is no haproxy at ${haproxyPath}` : `haproxy cannot be run: ${error.message}`);
}
