import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LoadResult } from './agentTraffic';
import type { Namespace } from './namespaces';
import type { Order } from './networkActorProcess';

const ROOT = join(__dirname, '../..');

/** A machine in a namespace that serves, or is a client, with real sockets there. */
export interface Actor {
  readonly namespace: Namespace;
  /** Answers HTTP with its text and the address of who asks. */
  serve(host: string, port: number, text: string): Promise<void>;
  /** Answers datagrams with its text and what they say. */
  echo(host: string, port: number, text: string): Promise<void>;
  /** The datagrams that `echo` has answered. */
  heard(): Promise<readonly string[]>;
  /** The body of an answer; else `status <n>`, `silence` if nothing came, or an error's code. */
  fetch(host: string, port: number, timeout?: number): Promise<string>;
  /** The answer to a datagram; else `silence` or an error's code. */
  ask(host: string, port: number, text: string, timeout?: number): Promise<string>;
  /** Requests without a pause until `unload`. */
  load(host: string, port: number): Promise<void>;
  unload(): Promise<LoadResult>;
}

/** Milliseconds after which nothing is taken to come any more: long enough for a busy machine. */
const SILENCE = 10_000;

/** Starts an actor; it ends with its namespace. */
export function startActor(namespace: Namespace): Actor {
  const words = [join(ROOT, 'devstack/run-ts.cjs'), join(__dirname, 'networkActorProcess.ts')];
  const child = namespace.spawn(process.execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map<number, (result: unknown) => void>();
  let last = 0;
  if (child.stdout === null) throw new Error('an actor has no output');
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result } = JSON.parse(line);
    waiting.get(id)?.(result);
    waiting.delete(id);
  });
  child.stdin?.on('error', () => undefined);
  const order = (what: Order['what'], given: Partial<Order> = {}): Promise<unknown> =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      const content: Order = { id: last, what, host: '', port: 0, text: '', timeout: SILENCE, ...given };
      child.stdin?.write(`${JSON.stringify(content)}\n`);
    });
  const listen = async (what: 'serve' | 'echo', given: Partial<Order>) => {
    const result = await order(what, given);
    if (result !== 'listening') throw new Error(`${what} ${given.host}: ${String(result)}`);
  };
  return {
    namespace,
    serve: (host, port, text) => listen('serve', { host, port, text }),
    echo: (host, port, text) => listen('echo', { host, port, text }),
    fetch: async (host, port, timeout = SILENCE) => String(await order('fetch', { host, port, timeout })),
    ask: async (host, port, text, timeout = SILENCE) => String(await order('ask', { host, port, text, timeout })),
    heard: async () => (await order('heard')) as string[],
    load: async (host, port) => void (await order('load', { host, port })),
    unload: async () => (await order('unload')) as LoadResult,
  };
}
