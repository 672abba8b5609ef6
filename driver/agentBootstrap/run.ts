import { execFile } from 'node:child_process';

/** Milliseconds a command of the system may take. */
const TIMEOUT = 10_000;

/** Output of a command. @throws Error with the command and what it said */
export function run(command: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { timeout: TIMEOUT }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${command} ${args.join(' ')}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
  });
}
