import { connect, type Socket } from 'node:net';

/**
 * A lasting connection to the runtime socket of one haproxy worker. Commands go out in one write and answers come back in
 * order. The connection also outlives a reload: the old worker answers on it until it ends or `close` is called, and it
 * does not end before.
 */
export interface RuntimeSocket {
  /** Sends the commands as one sequence; the answers in the same order. Rejects when the worker is gone or silent. */
  run(commands: readonly string[]): Promise<string[]>;
  close(): void;
  /** Resolves when the connection has ended, from either side. */
  readonly ended: Promise<void>;
}

interface Waiting {
  readonly answers: string[];
  readonly wanted: number;
  readonly resolve: (answers: string[]) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

const PROMPT = '\n> ';
/** Milliseconds a sequence of commands may take: a thousand take about 50. */
const PATIENCE = 10_000;

/** Connects; rejects at once if nobody listens on `path`. */
export async function openRuntimeSocket(path: string): Promise<RuntimeSocket> {
  const socket = await dial(path);
  const conversation = converse(socket);
  // From here on the worker keeps the connection open between commands and marks the end of each answer.
  await conversation.run(['prompt']);
  return conversation;
}

function dial(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.removeListener('error', reject);
      resolve(socket);
    });
  });
}

function converse(socket: Socket): RuntimeSocket {
  const queue: Waiting[] = [];
  const fail = (error: Error) => {
    for (const waiting of queue.splice(0)) {
      clearTimeout(waiting.timer);
      waiting.reject(error);
    }
    socket.destroy();
  };
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', fail);
  socket.once('close', () => fail(new Error('the worker closed its runtime socket')));
  socket.setEncoding('utf8');
  readAnswers(socket, queue);

  const run = (commands: readonly string[]) =>
    new Promise<string[]>((resolve, reject) => {
      if (commands.length === 0) return resolve([]);
      if (socket.destroyed) return reject(new Error('the runtime socket is closed'));
      const timer = setTimeout(() => fail(new Error('the worker does not answer on its runtime socket')), PATIENCE);
      queue.push({ answers: [], wanted: commands.length, resolve, reject, timer });
      socket.write(commands.map((text) => `${text}\n`).join(''));
    });
  return { run, close: () => socket.destroy(), ended };
}

function readAnswers(socket: Socket, queue: Waiting[]): void {
  let text = '';
  let searched = 0;
  socket.on('data', (chunk: string) => {
    text += chunk;
    let end = text.indexOf(PROMPT, searched);
    while (end !== -1) {
      give(queue, text.slice(0, end).trim());
      text = text.slice(end + PROMPT.length);
      end = text.indexOf(PROMPT);
    }
    searched = Math.max(0, text.length - PROMPT.length);
  });
}

function give(queue: Waiting[], answer: string): void {
  const waiting = queue[0];
  if (waiting === undefined) return;
  waiting.answers.push(answer);
  if (waiting.answers.length < waiting.wanted) return;
  queue.shift();
  clearTimeout(waiting.timer);
  waiting.resolve(waiting.answers);
}
