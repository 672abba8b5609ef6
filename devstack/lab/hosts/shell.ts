import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';

/** Milliseconds any of these commands may take. */
const LONGEST = 30_000;

/** Runs a command; gives what it prints. @throws Error with what it says on stderr */
export function run(command: string, words: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { timeout: LONGEST, stdio: ['pipe', 'pipe', 'pipe'] });
    let printed = '';
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.stdin.on('error', () => undefined);
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(printed);
      else reject(new Error(`${command} ${words.join(' ')}: ${said.trim() || `ended with ${code}`}`));
    });
    child.stdin.end(input);
  });
}

/** Lines for `ip -batch` in a namespace: one process for all of them; ends at the first that fails. */
export async function ipBatch(namespace: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await run('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}

export async function runIn(namespace: string, command: string, words: readonly string[], input = ''): Promise<string> {
  return run('nsenter', [`--net=/run/netns/${namespace}`, command, ...words], input);
}

export function listNamespaces(): string[] {
  try {
    return readdirSync('/run/netns');
  } catch {
    return [];
  }
}

/** With `lo` up and these kernel settings, of which those that this kernel does not have are left out. */
export async function addNamespace(name: string, settings: Readonly<Record<string, string>> = {}): Promise<void> {
  await run('ip', ['netns', 'add', name]);
  const writes = Object.entries(settings).map(([key, value]) => {
    const file = `/proc/sys/net/${key}`;
    return `[ ! -e ${file} ] || echo ${value} > ${file}`;
  });
  await runIn(name, 'sh', ['-ec', ['ip link set lo up', ...writes].join('\n')]);
}

/** Ends what still runs in it, and removes it with its interfaces. */
export async function removeNamespace(name: string): Promise<void> {
  const pids = (await run('ip', ['netns', 'pids', name])).split(/\s+/).filter(Boolean);
  for (const pid of pids) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // Gone by itself.
    }
  }
  await run('ip', ['netns', 'delete', name]);
}
