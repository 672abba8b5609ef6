import { execFile } from 'node:child_process';
import type { Command } from '../process/enter';
import { errorCode } from '../systemError';

const LONGEST = 30_000;
const LARGEST_ANSWER = 64 * 1024 * 1024;

export interface Outcome {
  readonly failed: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command to its end. Rejects only if it cannot be run, or takes longer than `timeout` milliseconds. */
export function run({ file, words }: Command, input = '', timeout = LONGEST): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const options = { timeout, maxBuffer: LARGEST_ANSWER };
    const child = execFile(file, words, options, (error, stdout, stderr) => {
      if (error === null || typeof error.code === 'number') resolve({ failed: error !== null, stdout, stderr });
      else reject(errorCode(error) === 'ENOENT' ? new Error(`this engine has no ${file}`) : error);
    });
    // It may end without having read everything.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}

/** The output of a command. Rejects with what it said if it fails. */
export async function read(command: Command, input = '', timeout = LONGEST): Promise<string> {
  const { failed, stdout, stderr } = await run(command, input, timeout);
  if (!failed) return stdout;
  const words = [command.file, ...command.words].join(' ');
  throw new Error(`${stderr.trim() || 'it failed'} (${words})`);
}
