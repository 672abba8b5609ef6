import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { waitUntil } from '../../support/wait';

/** What a server of the peer was asked. */
export interface Received {
  readonly server: string;
  readonly method: string;
  readonly context: Readonly<Record<string, unknown>>;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface Notified {
  readonly context: Readonly<Record<string, unknown>>;
  readonly publisher_id: string | null;
  readonly event_type: string;
  readonly payload: unknown;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Python's oslo.messaging in a process of its own. */
export interface Peer {
  readonly received: Received[];
  readonly notified: Notified[];
  /** Has it do one thing of `peer.py`. @throws PeerError what it threw there */
  ask(op: string, args: Readonly<Record<string, unknown>>): Promise<unknown>;
  /** SIGKILL. */
  stop(): Promise<void>;
}

export class PeerError extends Error {
  override readonly name = 'PeerError';
  constructor(
    readonly type: string,
    /** The class it was on the other side, if it came from there. */
    readonly remote: string | undefined,
    message: string,
  ) {
    super(message);
  }
}

export interface PeerOptions {
  readonly url: string;
  readonly exchange: string;
  /** Options of [oslo_messaging_rabbit]. */
  readonly rabbit: Readonly<Record<string, boolean | number>>;
}

/** Debian's interpreter, whose packages oslo.messaging is one of; a virtual environment has others. */
const PYTHON = '/usr/bin/python3';

export async function startPeer(options: PeerOptions): Promise<Peer> {
  const args = ['-W', 'ignore', join(__dirname, 'peer.py'), JSON.stringify(options)];
  const child = spawn(PYTHON, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const errors: string[] = [];
  child.stderr.on('data', (data: Buffer) => void errors.push(data.toString()));
  const received: Received[] = [];
  const notified: Notified[] = [];
  const answers = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  let isReady = false;
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line) as Line;
    if (message.ready) isReady = true;
    if (message.received) received.push(message.received);
    if (message.notified) notified.push(message.notified);
    if (message.id === undefined) return;
    const { error } = message;
    if (error) answers.get(message.id)?.reject(new PeerError(error.type, error.remote, error.message));
    else answers.get(message.id)?.resolve(message.result);
    answers.delete(message.id);
  });
  await waitUntil('the peer is ready', 30_000, () => {
    if (child.exitCode !== null) throw new Error(`the peer ended: ${errors.join('')}`);
    return isReady;
  });
  let count = 0;
  return {
    received,
    notified,
    ask(op, commandArgs) {
      count += 1;
      const id = count;
      const answer = new Promise<unknown>((resolve, reject) => answers.set(id, { resolve, reject }));
      child.stdin.write(`${JSON.stringify({ id, op, ...commandArgs })}\n`);
      return answer;
    },
    stop: () => end(child),
  };
}

interface Line {
  readonly ready?: boolean;
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly type: string; readonly remote?: string; readonly message: string };
  readonly received?: Received;
  readonly notified?: Notified;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
