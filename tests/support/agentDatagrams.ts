import { createSocket } from 'node:dgram';

/** A client of UDP that counts what it sends and gets. */
export interface DatagramClient {
  /** Sends the text and waits for one answer; null when none comes within `patience` milliseconds, or a refusal. */
  ask(text: string, patience?: number): Promise<string | null>;
  readonly sent: number;
  readonly received: number;
  /** True once the other side has refused a datagram (ICMP). */
  refused(): boolean;
  close(): void;
}

/** `from`: the client's own address, any of 127.0.0.0/8. */
export function openDatagramClient(host: string, port: number, from?: string): Promise<DatagramClient> {
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4');
  const waiting: ((answer: string | null) => void)[] = [];
  let sent = 0;
  let received = 0;
  let wasRefused = false;
  socket.on('message', (message) => {
    received += message.length;
    waiting.shift()?.(message.toString());
  });
  socket.on('error', () => {
    wasRefused = true;
    waiting.shift()?.(null);
  });
  const client: DatagramClient = {
    ask(text, patience = 2000) {
      sent += Buffer.byteLength(text);
      socket.send(text);
      return new Promise((resolve) => {
        const finish = (answer: string | null) => {
          clearTimeout(timer);
          resolve(answer);
        };
        const timer = setTimeout(() => {
          if (waiting.includes(finish)) waiting.splice(waiting.indexOf(finish), 1);
          resolve(null);
        }, patience);
        waiting.push(finish);
      });
    },
    get sent() {
      return sent;
    },
    get received() {
      return received;
    },
    refused: () => wasRefused,
    close: () => socket.close(),
  };
  return new Promise((resolve) => {
    socket.bind(0, from, () => socket.connect(port, host, () => resolve(client)));
  });
}

let clients = 0;

/** An address no client had lately: one that takes the port of another within a session would belong to it. */
function freshAddress(): string {
  clients += 1;
  return `127.40.${Math.floor(clients / 250) % 250}.${1 + (clients % 250)}`;
}

/**
 * The names of the backends that answer `count` clients of one datagram each, with how often. Each has an address of its
 * own unless `from` is given.
 */
export async function spreadDatagrams(
  host: string,
  port: number,
  { count, from }: { readonly count: number; readonly from?: string },
): Promise<Record<string, number>> {
  const seen: Record<string, number> = {};
  for (let index = 0; index < count; index += 1) {
    const client = await openDatagramClient(host, port, from ?? (host.includes(':') ? undefined : freshAddress()));
    const name = (await client.ask('x'))?.split(':')[0] ?? 'nobody';
    client.close();
    seen[name] = (seen[name] ?? 0) + 1;
  }
  return seen;
}
