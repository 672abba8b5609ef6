import { readFileSync } from 'node:fs';
import { listNamespaces, removeNamespace, run } from '../../../devstack/lab/hosts/shell';

/** Names of this process's namespaces, and of nobody else's. */
const PREFIX = `ss-fb-${process.pid}-`;
let fabrics = 0;

/** A prefix for the namespaces of one fabric. */
export function newPrefix(): string {
  fabrics += 1;
  return `${PREFIX}${fabrics}-`;
}

/** Takes away what test processes that are no more have left behind, with everything that still runs in it. */
export async function removeLeftovers(): Promise<void> {
  for (const name of listNamespaces()) {
    const [, pid] = /^ss-fb-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !isTestProcess(Number(pid))) await removeQuietly(name);
  }
}

export async function removeAll(prefix: string): Promise<void> {
  for (const name of listNamespaces()) if (name.startsWith(prefix)) await removeQuietly(name);
}

/** Another process may be at it, too. */
async function removeQuietly(name: string): Promise<void> {
  await removeNamespace(name).catch((error: unknown) => {
    if (listNamespaces().includes(name)) throw error;
  });
}

function isTestProcess(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('node');
  } catch {
    return false;
  }
}

/** Lines of which some may have been done already: what they take away may be gone. */
export async function ipBatchForgiving(namespace: string, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  await run('ip', ['-n', namespace, '-force', '-batch', '-'], `${lines.join('\n')}\n`).catch((error: unknown) => {
    if (!/No such|Cannot find|does not exist/.test(String(error))) throw error;
  });
}
