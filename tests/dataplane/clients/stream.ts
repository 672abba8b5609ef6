import { connect, type Socket } from 'node:net';

/** A TCP connection, read by lines. */
export interface Dialogue {
  /** The next line, without its end. Rejects when the connection ends first, or nothing comes for 15 s. */
  line(): Promise<string>;
  send(text: string): void;
  /** Resolves once the other side has ended or reset it. */
  readonly ended: Promise<void>;
  isEnded(): boolean;
  /** Resets the connection: its port can be used again at once. */
  close(): void;
}

export interface Dialing {
  readonly host: string;
  readonly port: number;
  /** The client's own address, of 127.0.0.0/8. */
  readonly from?: string;
  readonly fromPort?: number;
}

const TIMEOUT = 15_000;

/** Connects. Rejects when that is refused. */
export function dial({ host, port, from, fromPort }: Dialing): Promise<Dialogue> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...{ host, port },
      ...(from !== undefined && { localAddress: from }),
      ...(fromPort !== undefined && { localPort: fromPort }),
    });
    socket.once('error', reject);
    socket.once('connect', () => resolve(makeDialogue(socket)));
  });
}

/** The first line the other side says to a new connection. Rejects when it says none. */
export async function greeting(dialing: Dialing): Promise<string> {
  const dialogue = await dial(dialing);
  try {
    return await dialogue.line();
  } finally {
    dialogue.close();
  }
}

function makeDialogue(socket: Socket): Dialogue {
  let text = '';
  let over = false;
  let wake = () => {};
  const ended = new Promise<void>((resolve) => {
    socket.once('close', () => {
      over = true;
      wake();
      resolve();
    });
  });
  socket.on('error', () => undefined);
  socket.on('data', (data) => {
    text += data.toString('latin1');
    wake();
  });
  const line = async (): Promise<string> => {
    const deadline = Date.now() + TIMEOUT;
    while (!text.includes('\n')) {
      if (over) throw new Error('the connection has ended');
      const left = deadline - Date.now();
      if (left <= 0) throw new Error(`no line came for ${TIMEOUT} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const end = text.indexOf('\n');
    const found = text.slice(0, end);
    text = text.slice(end + 1);
    return found;
  };
  return {
    line,
    ended,
    isEnded: () => over,
    send: (words) => void socket.write(words),
    close: () => void socket.resetAndDestroy(),
  };
}
