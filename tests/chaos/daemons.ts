import { type Daemon, startDaemon } from '../bench/processes';

/** A program that the kernel ends with this process, even if that is killed: a chaos run leaves nothing behind. */
export function startBound(
  command: readonly string[],
  options: { readonly logFile: string; readonly env?: Readonly<Record<string, string>> },
): Daemon {
  return startDaemon(['/usr/bin/setpriv', '--pdeathsig', 'KILL', ...command], options);
}

/** Sends a signal; of one that ends it, waits for that. */
export async function signalDaemon(daemon: Daemon, signal: NodeJS.Signals): Promise<void> {
  if (daemon.hasEnded()) return;
  process.kill(daemon.pid, signal);
  if (signal !== 'SIGKILL' && signal !== 'SIGTERM') return;
  while (!daemon.hasEnded()) await new Promise((resolve) => setTimeout(resolve, 10));
}
