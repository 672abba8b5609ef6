import { createSocket } from 'node:dgram';
import { createServer, get } from 'node:http';
import { createInterface } from 'node:readline';
import { type Load, startLoad } from './agentTraffic';

/** What a machine of a test does in its namespace, as it is told line by line: `networkActor.ts` is the other end. */
export interface Order {
  readonly id: number;
  readonly what: 'serve' | 'echo' | 'fetch' | 'ask' | 'heard' | 'load' | 'unload';
  readonly host: string;
  readonly port: number;
  /** What a server answers, or what is asked. */
  readonly text: string;
  /** Milliseconds. */
  readonly timeout: number;
}

let load: Load | null = null;
const heard: string[] = [];

async function obey({ what, host, port, text, timeout }: Order): Promise<unknown> {
  switch (what) {
    case 'serve':
      return new Promise((resolve, reject) => {
        const server = createServer((request, response) => response.end(`${text} ${request.socket.remoteAddress}`));
        server.once('error', reject);
        server.listen(port, host, () => resolve('listening'));
      });
    case 'echo':
      return new Promise((resolve) => {
        const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
        socket.on('message', (message, { port: from, address }) => {
          heard.push(String(message));
          socket.send(`${text} ${message}`, from, address);
        });
        socket.bind(port, host, () => resolve('listening'));
      });
    case 'fetch':
      return fetchBody(host, port, timeout);
    case 'ask':
      return ask(host, port, { text, timeout });
    case 'heard':
      return heard;
    case 'load':
      load = startLoad(host, port, 4);
      return 'started';
    case 'unload':
      return load?.stop();
  }
}

/** The body, `status <n>`, or why there was none. */
function fetchBody(host: string, port: number, timeout: number): Promise<string> {
  return new Promise((resolve) => {
    const request = get({ host, port, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.once('end', () => conclude(response.statusCode === 200 ? body : `status ${response.statusCode}`));
      response.once('error', (error: NodeJS.ErrnoException) => conclude(error.code ?? error.message));
    });
    const conclude = (answer: string) => {
      clearTimeout(timer);
      request.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => conclude('silence'), timeout);
    request.on('error', (error: NodeJS.ErrnoException) => conclude(error.code ?? error.message));
  });
}

/** The answer to one datagram, `silence`, or why it was refused. */
function ask(host: string, port: number, { text, timeout }: Pick<Order, 'text' | 'timeout'>): Promise<string> {
  return new Promise((resolve) => {
    const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const conclude = (answer: string) => {
      clearTimeout(timer);
      socket.removeAllListeners().on('error', () => undefined);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => conclude('silence'), timeout);
    socket.once('message', (message) => conclude(String(message)));
    socket.once('error', (error: NodeJS.ErrnoException) => conclude(error.code ?? error.message));
    socket.connect(port, host, () => socket.send(text));
  });
}

createInterface({ input: process.stdin })
  .on('line', async (line) => {
    const order: Order = JSON.parse(line);
    const result = await obey(order).catch((error: unknown) => String(error));
    process.stdout.write(`${JSON.stringify({ id: order.id, result })}\n`);
  })
  .once('close', () => process.exit());
