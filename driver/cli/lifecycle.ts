import type { Logger } from 'pino';
import type { RunningProcess } from '../domain/process';

/** Seconds for the last words, beyond what a process takes to finish what is in flight. */
const LAST_WORDS = 10;
/** Ctrl-C reaches a process more than once: from the terminal and from npm above it. */
const SAME_SIGNAL = 1_000;

const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

/**
 * Starts a process and keeps it until SIGINT or SIGTERM; then it finishes what is in flight and the program ends with 0.
 * If it takes longer than `patience` and some seconds more, it ends with 1: whatever it held expires by itself.
 * A second signal, a second later or more, ends it at once. One during the start waits until the start is through.
 */
export async function runUntilSignal(
  start: () => Promise<RunningProcess>,
  { log, patience }: { log: Logger; patience: number },
): Promise<void> {
  const signal = nextSignal();
  const running = await start();
  log.info({ signal: await signal }, 'ending');
  const from = performance.now();
  for (const name of ENDING) {
    process.on(name, () => {
      if (performance.now() - from > SAME_SIGNAL) process.exit(130);
    });
  }
  const bound = patience + LAST_WORDS;
  const late = setTimeout(() => {
    log.error(`not drained after ${bound} s`);
    process.exit(1);
  }, bound * 1000);
  await running.close();
  clearTimeout(late);
  log.info('ended');
  // Whatever still holds a timer or a socket has been told to let go and has nothing left to say.
  process.exit(0);
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ENDING) process.on(name, resolve);
  });
}

/** One line for the person who started the program, the stack only if asked for; ends it with 1. */
export function failWith(error: unknown, debug: boolean): never {
  const text = error instanceof Error ? (debug ? error.stack : error.message) : String(error);
  process.stderr.write(`slipstream: ${text || error}\n`);
  process.exit(1);
}

/** Nothing goes on after an error that nobody caught: state may be half changed, and a restart finds all work again. */
export function endOnUncaught(debug: () => boolean): void {
  process.on('uncaughtException', (error) => failWith(error, debug()));
  process.on('unhandledRejection', (error) => failWith(error, debug()));
}
