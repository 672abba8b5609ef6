import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';

/** Where the load goes: an HTTP listener, and a TCP listener over the same members. */
export interface LoadTarget {
  readonly host: string;
  readonly httpPort: number;
  readonly tcpPort: number;
}

export interface LoadOutcome {
  readonly answered: number;
  /** Requests that were not answered with 200, and connections that ended before they were to. */
  readonly failures: readonly string[];
}

export interface SteadyLoad {
  stop(): Promise<LoadOutcome>;
}

/** Milliseconds a connection over the TCP listener lasts, with a request now and then. */
const LONG_CONNECTION = 1500;
const PAUSE = 30;

/**
 * Clients that never pause: GET and POST, each over connections that are kept and over one for each request; and clients
 * of the TCP listener that hold their connection over changes. All of them check what they get.
 */
export function startSteadyLoad(target: LoadTarget): SteadyLoad {
  const failures: string[] = [];
  let answered = 0;
  let stopped = false;
  const repeat = async (what: string, work: () => Promise<number>) => {
    while (!stopped) {
      try {
        const answers = await work();
        answered += answers;
      } catch (error) {
        failures.push(`${what}: ${String(error)}`);
      }
    }
  };
  const web = ['GET', 'POST'].flatMap((method) =>
    [true, false].map(async (keepAlive) => {
      const agent = new Agent({ keepAlive, maxSockets: 1 });
      await repeat(`${method} ${keepAlive ? 'kept' : 'alone'}`, () => askOnce(target, method, agent));
      agent.destroy();
    }),
  );
  const streams = [1, 2].map(() => repeat('stream', () => holdConnection(target, () => stopped)));
  const all = Promise.all([...web, ...streams]);
  return {
    async stop() {
      stopped = true;
      await all;
      return { answered, failures };
    },
  };
}

function askOnce({ host, httpPort: port }: LoadTarget, method: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, method, agent }, (response) => {
      response.once('error', reject).resume();
      response.once('end', () =>
        response.statusCode === 200 ? resolve(1) : reject(new Error(`status ${response.statusCode}`)),
      );
    });
    sent.once('error', reject).end(method === 'POST' ? 'body' : undefined);
  });
}

/** Speaks HTTP/1.1 over one connection for a while; gives the number of answers. */
async function holdConnection({ host, tcpPort }: LoadTarget, isOver: () => boolean): Promise<number> {
  const socket = connect(tcpPort, host);
  const closed = once(socket, 'close').then(() => {
    throw new Error('the connection was closed');
  });
  closed.catch(() => undefined);
  await Promise.race([once(socket, 'connect'), closed]);
  const end = Date.now() + LONG_CONNECTION;
  let answers = 0;
  do {
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    const [data] = await Promise.race([once(socket, 'data'), closed]);
    if (!String(data).startsWith('HTTP/1.1 200')) throw new Error(`not an answer: ${String(data).slice(0, 40)}`);
    answers += 1;
    await Promise.race([new Promise((resolve) => setTimeout(resolve, PAUSE)), closed]);
  } while (Date.now() < end && !isOver());
  socket.destroy();
  return answers;
}
